# Sourced by bin/gatehouse and by the source tree's ./gatehouse.
#
# find_java TOOL: sets JAVA_HOME to a JDK of version 25 or newer that has bin/TOOL. JAVA_HOME comes first, then the java
# on the PATH, then the usual folders; when there is none it names what it searched and returns 1.

gatehouse_java_version() {
  # The file "release" tells the version without starting a JVM.
  sed -n 's/^JAVA_VERSION="\([0-9]*\).*/\1/p' "$1/release" 2>/dev/null
}

find_java() {
  _fj_tool=$1
  _fj_searched=
  _fj_on_path=$(command -v "$_fj_tool" 2>/dev/null || true)
  if [ -n "$_fj_on_path" ]; then
    _fj_on_path=$(readlink -f "$_fj_on_path" 2>/dev/null || echo "$_fj_on_path")
    _fj_on_path=${_fj_on_path%/bin/*}
  fi
  _fj_old_ifs=$IFS
  IFS='
'
  for _fj_home in \
    ${JAVA_HOME:-} \
    $_fj_on_path \
    $(ls -d /usr/lib/jvm/* /usr/java/* /opt/java/* /opt/*jdk* /usr/local/*jdk* "${HOME:-/nonexistent}"/.sdkman/candidates/java/* "${HOME:-/nonexistent}"/.jdks/* /Library/Java/JavaVirtualMachines/*/Contents/Home 2>/dev/null); do
    _fj_version=$(gatehouse_java_version "$_fj_home")
    if [ -n "$_fj_version" ] && [ "$_fj_version" -ge 25 ] && [ -x "$_fj_home/bin/$_fj_tool" ]; then
      IFS=$_fj_old_ifs
      JAVA_HOME=$_fj_home
      export JAVA_HOME
      return 0
    fi
    _fj_searched="$_fj_searched
  $_fj_home${_fj_version:+ (version $_fj_version)}"
  done
  IFS=$_fj_old_ifs
  {
    echo "gatehouse: no JDK of version 25 or newer with bin/$_fj_tool. Searched: JAVA_HOME, the PATH,"
    echo "/usr/lib/jvm, /usr/java, /opt/java, /opt/*jdk*, /usr/local/*jdk*, ~/.sdkman/candidates/java, ~/.jdks,"
    echo "/Library/Java/JavaVirtualMachines. Found there:${_fj_searched:- nothing}"
    echo "Install one (https://adoptium.net) or set JAVA_HOME to one."
  } >&2
  return 1
}
