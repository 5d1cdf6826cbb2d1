// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Names that mean nothing here, and what to write instead: those of earlier versions (dsl/std/renamed.txt) and those of
// other programs (dsl/std/foreign.txt). Both tables are data; the error paths of the parser and the elaborator consult
// them, and `gradc fmt` the first.
#pragma once
#include "dsl/ast.h"

namespace gradc {

struct Renamed {
    std::string function; // whose parameter it is, by its name of today; "" for a function
    std::string old_name, new_name;
    std::string value; // of a parameter: its value of today, with `_` for the old one; "" if the same
};
const std::vector<Renamed>& renamed();
/// nullptr where `name` was no function, or no parameter of `function` (by old name or new).
const Renamed* renamed_function(std::string_view name);
const Renamed* renamed_parameter(std::string_view function, std::string_view name);

struct ForeignName {
    std::string kind, word, repair;
};
const std::vector<ForeignName>& foreign_names();
/// What to write for a word of that kind; "" if the table has none.
std::string foreign_repair(std::string_view kind, std::string_view word);
/// The parameter among `known` that an argument of this name means; "" if there is none.
std::string foreign_argument(std::string_view word, const std::vector<std::string>& known);

/// Of `object.name`, called or not, such as nn.Linear(..), x.T, self.w: where it is wrong, and the repair.
struct ForeignMember {
    Span span;
    std::string message, repair;
};
std::optional<ForeignMember> foreign_member(const ast::Expr& member, const Sources& sources);

} // namespace gradc
