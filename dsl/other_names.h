// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Names that the language does not have, with their replacements: names of earlier versions (dsl/std/renamed.txt) and
// of other programs (dsl/std/foreign.txt). Both tables are data. The error paths of the parser and the elaborator use
// both; `gradc fmt` uses the first.
#pragma once
#include "dsl/ast.h"

namespace gradc {

/// A public name of an earlier version.
struct Renamed {
    std::string function; // the current name of the parameter's function; "" if a function was renamed
    std::string old_name, new_name;
    std::string value; // of a parameter: its current value, with `_` for the old one; "" if unchanged
};
/// All lines of dsl/std/renamed.txt, in order.
const std::vector<Renamed>& renamed();
/// Null if `name` was no function, or no parameter of `function` (by old or current name).
const Renamed* renamed_function(std::string_view name);
const Renamed* renamed_parameter(std::string_view function, std::string_view name);

/// A line of dsl/std/foreign.txt.
struct ForeignName {
    std::string kind, word, repair;
};
/// All lines of dsl/std/foreign.txt, in order.
const std::vector<ForeignName>& foreign_names();
/// The replacement of a word of that kind; "" if the table has none.
std::string foreign_repair(std::string_view kind, std::string_view word);
/// The parameter among `known` that an argument of this name means; "" if there is none.
std::string foreign_argument(std::string_view word, const std::vector<std::string>& known);

/// The error of a foreign `object.name`, called or not, such as nn.Linear(..), x.T, self.w. Nothing if the table has
/// none.
struct ForeignMember {
    Span span;
    std::string message, repair;
};
std::optional<ForeignMember> foreign_member(const ast::Expr& member, const Sources& sources);

} // namespace gradc
