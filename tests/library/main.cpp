// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// `prove_library README` proves every function of dsl/std and compares the table of README, without its digits, with
// the library. `prove_library --write README` writes the table. Errors are one line each and exit code 1.
#include "tests/library/entries.h"
#include "tests/library/proof.h"
#include "tests/library/table.h"
#include <cstring>
#include <fmt/format.h>

using namespace gradc::library;

namespace {

/// An entry has a case, a formula and a source, and states its kinks.
void check_entry(const Entry& entry, Findings& findings) {
    const Finding& finding = findings.of[entry.name];
    auto error = [&](const char* text) {
        findings.error(fmt::format("{} of dsl/std/{}.grad {}", entry.name, entry.file, text));
    };
    bool schedule = entry.file == "schedules"; // runs in double; held to numbers in tests/optimizers
    if (!finding.cases && !schedule) error("is proved by no case of tests/library");
    if (entry.formula.empty()) error("has no formula in the comment above it");
    if (entry.file == "primitives" || entry.file == "optimizers" || schedule) return;
    if (entry.source.empty()) error("has no `Source:` in the comment above it");
    if (finding.kinked && entry.kinks.empty() && entry.domain.empty())
        error("has kinks, but no `Kinks:` in the comment above it");
}

} // namespace

int main(int argc, char** argv) {
    bool writes = argc == 3 && !std::strcmp(argv[1], "--write");
    if (argc != 2 && !writes) {
        fmt::print(stderr, "usage: prove_library [--write] docs/reference/library.md\n");
        return 2;
    }
    Findings findings;
    prove_scalar_formulas(findings);
    prove_row_formulas(findings);
    prove_layers(findings);
    prove_augmentation(findings);
    prove_metrics(findings);
    prove_starts(findings);
    prove_steps(GRADC_SOURCE_DIR "/tests/optimizers", findings);
    prove_recorded(GRADC_SOURCE_DIR "/tests/library/recorded.txt", findings);
    prove_recorded_layers(GRADC_SOURCE_DIR "/tests/library/recorded_layers.txt", findings);
    for (const Entry& entry : entries()) check_entry(entry, findings);
    std::string table = table_of(entries(), findings);
    if (writes) write_readme(argv[2], table, findings);
    else compare_with_readme(argv[1], table, findings);
    for (const std::string& error : findings.faults) fmt::print(stderr, "{}\n", error);
    if (findings.faults.empty()) fmt::print("{} entries of the library hold\n", entries().size());
    return findings.faults.empty() ? 0 : 1;
}
