// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// `prove_library README`: proves every function of dsl/std, and compares the table in README, without its measured errors,
// with the library. `prove_library --write README` writes that table; a measured error that was there stays unless it got
// worse. Ends with 1 after an error; each cause is one line.
#include "tests/library/entries.h"
#include "tests/library/proof.h"
#include "tests/library/table.h"
#include <cstring>
#include <fmt/format.h>

namespace gradc::library {

/// The text without its numbers: digits, nan and inf, and the signs and points between them.
static std::string without_numbers(const std::string& text) {
    std::string key;
    for (size_t at = 0; at < text.size(); ++at) {
        bool word = text.compare(at, 3, "nan") == 0 || text.compare(at, 3, "inf") == 0;
        if (word) at += 2;
        else if (!std::strchr("0123456789.+-", text[at])) key += text[at];
    }
    return key;
}

void Findings::error(const std::string& text) {
    std::string key = without_numbers(text);
    for (Cause& cause : causes_)
        if (cause.key == key) return void(++cause.count);
    causes_.push_back({key, text, 1});
}

std::vector<std::string> Findings::errors() const {
    std::vector<std::string> lines;
    for (const Cause& cause : causes_)
        lines.push_back(cause.count == 1 ? cause.first
                                         : fmt::format("{} (and {} more like it)", cause.first, cause.count - 1));
    return lines;
}

} // namespace gradc::library

using namespace gradc::library;

namespace {

/// An entry has a case in tests/library, a formula, a source, and its kinks if it has any.
void check_entry(const Entry& entry, Findings& findings) {
    const Finding& finding = findings.of[entry.name];
    auto error = [&](const char* text) {
        findings.error(fmt::format("{} of dsl/std/{}.grad {}", entry.name, entry.file, text));
    };
    bool schedule = entry.file == "schedules"; // runs in double; held to numbers in tests/optimizers
    if (!finding.cases && !schedule) error("is proved by no case of tests/library");
    if (entry.formula.empty() && entry.file != "primitives") error("has no formula in the comment above it");
    if (entry.file == "primitives" || entry.file.starts_with("optimizers") || schedule) return;
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
    prove_recorded_layers(GRADC_SOURCE_DIR "/tests/library", findings);
    for (const Entry& entry : entries()) check_entry(entry, findings);
    std::string table = table_of(entries(), findings, argv[argc - 1]);
    if (writes) write_readme(argv[2], table, findings);
    else compare_with_readme(argv[1], table, findings);
    std::vector<std::string> errors = findings.errors();
    for (const std::string& error : errors) fmt::print(stderr, "{}\n", error);
    if (errors.empty()) fmt::print("{} entries of the library hold\n", entries().size());
    return errors.empty() ? 0 : 1;
}
