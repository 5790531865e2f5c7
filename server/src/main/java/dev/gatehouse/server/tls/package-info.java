/** TLS with certificates from files that are read again when they change. */
package dev.gatehouse.server.tls;
