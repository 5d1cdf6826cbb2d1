// Error expectations, written on the line of a model file that has the error:
//     return x @ weight        # error[size-mismatch]: 64 is not 32 # at 14
// The text must be part of the message, the caret note or the repair; `# at` gives the column and may be left out. A
// line may have several. Every expectation must be fulfilled by a diagnostic of its line, and every diagnostic must be
// expected. An error of the command line has no place and may be expected on any line. A warning is expected as
// `# warning[code]: ..`. The first line may give options: `# gradc --set wide=3 --max-nodes 100`.
#pragma once
#include "dsl/diagnostic.h"
#include <set>

namespace gradc {

struct Expectation {
    uint32_t source = 0, line = 0;
    uint32_t column = 0; // 0: any
    std::string code, text;
    bool warning = false;
};

std::vector<Expectation> expectations_in(const Sources& sources);

/// What differs between the expectations written in all `sources` and `diagnostics`; empty if
/// nothing does.
std::string disagreement(const Sources& sources, const Diagnostics& diagnostics);

/// The model files below tests/errors/`folder`, sorted, as paths.
std::vector<std::string> error_cases(const std::string& folder);

/// The settings on the first line of a case: "--set" and "--max-nodes" with their values, in order.
std::vector<std::pair<std::string, std::string>> settings_in(const std::string& text);

/// The codes that the files below tests/errors/`folder` expect.
std::set<std::string> expected_codes(const std::string& folder);

} // namespace gradc
