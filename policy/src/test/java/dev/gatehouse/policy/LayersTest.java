package dev.gatehouse.policy;

import static com.tngtech.archunit.library.Architectures.layeredArchitecture;

import com.tngtech.archunit.core.domain.JavaClasses;
import com.tngtech.archunit.core.importer.ImportOption;
import com.tngtech.archunit.junit.AnalyzeClasses;
import com.tngtech.archunit.junit.ArchTest;
import com.tngtech.archunit.lang.ArchRule;
import com.tngtech.archunit.library.dependencies.SlicesRuleDefinition;

/** What a resource says knows nothing of what it holds for, that nothing of expressions, and none of them of files. */
@AnalyzeClasses(
    packages = "dev.gatehouse.policy",
    importOptions = ImportOption.DoNotIncludeTests.class)
class LayersTest {
  @ArchTest
  static final ArchRule resource_then_attach_then_expressions_and_sources = layeredArchitecture()
      .consideringOnlyDependenciesInLayers()
      .layer("resource")
      .definedBy("dev.gatehouse.policy.resource..")
      .layer("attach")
      .definedBy("dev.gatehouse.policy.attach..")
      .layer("expr")
      .definedBy("dev.gatehouse.policy.expr..")
      .layer("source")
      .definedBy("dev.gatehouse.policy.source..")
      .whereLayer("attach")
      .mayOnlyBeAccessedByLayers("expr", "source")
      .whereLayer("expr")
      .mayNotBeAccessedByAnyLayer()
      .whereLayer("source")
      .mayNotBeAccessedByAnyLayer();

  @ArchTest
  static void no_package_knows_itself_in_a_circle(JavaClasses classes) {
    SlicesRuleDefinition.slices()
        .matching("dev.gatehouse.policy.(*)..")
        .should()
        .beFreeOfCycles()
        .check(classes);
  }
}
