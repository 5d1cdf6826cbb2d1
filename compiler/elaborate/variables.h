// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Parameters and states. A variable is named by its path and made when its declaration is first reached. Its initial
// value is elaborated into Definitions::initial.
#pragma once
#include "compiler/elaborate/types.h"

namespace gradc {

/// `param name: type = initial` or `state ..` of a model: binds the name in `scope`. A state gets a cell.
void elaborate_declaration(Elaborator& elaborator, const ast::Declaration& declaration, Span span, Scope& scope);

/// The text of an `as` with its constants: "h.{i}" is "h.3". Reports a name that is not an integer constant.
std::string saved_as_text(Elaborator& elaborator, const std::string& text, Span span, const Scope& scope);
/// `name` below the frame's own name in files. That of a function without one is its path, that of a model is empty.
std::string name_in_files(const Frame& frame, const std::string& name);
/// Puts `name` before the names in files of all variables of a model. Repeated calls change nothing.
void name_model_in_files(Elaborator& elaborator, const std::string& model, const std::string& name, Span span);

/// True if a pattern of an optimizer or freeze line matches the variable's path or its name in files.
bool names(const std::string& pattern, const Variable& variable);

/// The variable at `path`, made now if there is none. `initial` is evaluated in `scope`; `shape:` is the type's shape
/// by default. `type` may be null: then `default_type` or the initial value gives it. `block`: the train block of an
/// optimizer's state. Poisoned after an error, such as another shape than in an earlier call.
Term variable_at(Elaborator& elaborator, Variable::Role role, const std::string& path, const ast::TypeExpr* type,
                 const ast::ExprRef& initial, Scope& scope, Span span, const std::optional<Type>& default_type = {},
                 int block = -1);
/// A variable that exists, as a node of the current graph; nothing if it does not.
std::optional<Term> existing_variable(Elaborator& elaborator, const std::string& path);
/// States of models whose cells changed: path and last value, in order of path. They become assigns.
std::vector<std::pair<std::string, Term>> updated_states(Elaborator& elaborator);

} // namespace gradc
