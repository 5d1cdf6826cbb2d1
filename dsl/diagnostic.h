// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Diagnostics: an error of a model file, its place and the likely repair. They are values, collected in order; nothing
// here prints or exits. The printed form is
//     digits.grad:9:12: error: cannot multiply x [N, 64] by weight [32, 10]: 64 is not 32
//         9 |     return x @ weight
//           |            ~~^~~~~~~~ columns of the left side (64) must be the rows of the right
//           side (32)
#pragma once
#include "dsl/diagnostic_codes.h"
#include "dsl/source.h"
#include <exception>
#include <memory>

namespace gradc {

enum class Code : uint16_t {
#define X(name, text) name,
    GRADC_DIAGNOSTIC_CODES(X)
#undef X
};
/// The name of a code in tests and documentation: "unexpected-token".
std::string_view name(Code code);

struct Remark { // a second place that explains the first one: "declared here"
    Span span;
    std::string message;
};

/// One error or warning.
struct Diagnostic {
    Code code;
    Span span;           // underlined with ~
    std::string message; // what was found and what was expected
    std::string caret;   // short note printed beside the caret; may be empty
    std::string repair;  // "did you mean `sigmoid`?"; printed as its own line, may be empty
    std::vector<Remark> remarks;
    std::optional<uint32_t> caret_at = {}; // byte offset of the ^ inside span; its begin if absent
    bool warning = false;
};

/// A user's error in a stage after the elaboration; `main` prints it.
struct UserError : std::exception {
    Diagnostic diagnostic;
    std::shared_ptr<const Sources> sources;
    UserError(Diagnostic diagnostic, std::shared_ptr<const Sources> sources)
        : diagnostic(std::move(diagnostic)), sources(std::move(sources)) {}
    const char* what() const noexcept override { return diagnostic.message.c_str(); }
};

/// The diagnostics of one compilation. Errors after `limit` are counted but not kept. The reference that `report`
/// returns is valid until the next report.
class Diagnostics {
public:
    Diagnostic& report(Code code, Span span, std::string message, std::string caret = {}, std::string repair = {});
    /// A warning does not fail the compilation. It is kept once per place.
    void warn(Code code, Span span, std::string message, std::string caret, std::string repair);
    bool failed() const { return count_ > 0; }
    size_t count() const { return count_; }
    const std::vector<Diagnostic>& all() const { return all_; }
    const std::vector<Diagnostic>& warnings() const { return warnings_; }
    /// The last error that was kept; null if there is none.
    Diagnostic* last() { return all_.empty() || count_ > limit ? nullptr : &all_.back(); }
    size_t limit = 20;

private:
    std::vector<Diagnostic> all_, warnings_;
    size_t count_ = 0;
    Diagnostic overflow_{};
};

/// Diagnostics as lines of text, each ending in a newline; with ANSI colors if `color`.
std::string print(const Diagnostic& diagnostic, const Sources& sources, bool color = false);
std::string print(const Diagnostics& diagnostics, const Sources& sources, bool color = false);

/// The candidate nearest to `word` by edit distance, if it is near enough for a likely typing error.
std::optional<std::string> nearest(std::string_view word, const std::vector<std::string>& candidates);

} // namespace gradc
