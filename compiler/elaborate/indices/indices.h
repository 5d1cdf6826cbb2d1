// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Definitions by index. Each index of a definition, or of a reduction in it, is a label: an axis in front of a value's
// own axes, so that every operation works per element. IndexSpace first finds the size of each index: its written
// bound, the axis where it stands alone, or the largest size for which `x[2*h + i]` stays inside its axis.
#pragma once
#include "compiler/elaborate/indices/definition.h"

namespace gradc {

/// The name in a scope of the labels that `..` stands for: a list of their numbers.
inline constexpr const char* index_group = "..index";

/// constant + sum of factor * label
struct Affine {
    std::map<int, int64_t> factors;
    int64_t constant = 0;
    bool alone() const { return constant == 0 && factors.size() == 1 && factors.begin()->second == 1; }
};
/// The expression as a sum of indices; nothing if it is none.
std::optional<Affine> affine(Elaborator&, const ast::Expr&, Scope&);
/// The label of a name; -1 if it is no index.
int index_label(const Scope&, const std::string& name);
/// True if an expression names an index or group of the scope.
bool mentions_index(const ast::Expr&, const Scope&);
/// An index as a value: an i32 iota of its axis, with its own label.
Term index_number(Elaborator&, int label, Span);

/// The indices of one definition and of the reductions inside it. They are found by the list of binders that declares
/// them.
class IndexSpace {
public:
    IndexSpace(Elaborator& elaborator) : elaborator_(elaborator) {}
    ~IndexSpace();
    IndexSpace(const IndexSpace&) = delete;

    /// Finds labels and sizes for `binders` and every reduction in `formula`; false after an error. `reduces`: the
    /// binders are those of a reduction, whose bounds may vary.
    bool solve(const std::vector<ast::IndexBinder>& binders, const ast::Expr& formula, Scope& scope, bool reduces);
    /// A scope in which the indices of these binders are bound as numbers; only after `solve`.
    Scope inside(const std::vector<ast::IndexBinder>& binders, const Scope& scope) const;
    const std::vector<int>& labels(const std::vector<ast::IndexBinder>& binders) const {
        return sets_.at(&binders).all;
    }
    bool knows(const std::vector<ast::IndexBinder>& binders) const { return sets_.count(&binders) > 0; }
    /// An index with a varying bound runs to the largest value of the bound; values at or above the bound are masked.
    struct Varying {
        const ast::IndexBinder* binder;
        int label;
        Scope scope;              // of the bound
        std::optional<Affine> at; // the bound as a sum of indices, if it is one
        Term bound = {};          // set once the indices that it depends on are known
    };
    /// Those of these binders, in their order.
    std::vector<const Varying*> varying(const std::vector<ast::IndexBinder>& binders) const;
    /// True if a sum of indices can leave its axis only where it is masked.
    bool masks(const Affine& at) const;

private:
    struct Set {
        std::vector<int> all;               // in order, groups expanded
        std::vector<std::vector<int>> each; // by binder
    };
    enum class End : uint8_t { none, low, high };
    struct Place { // an axis whose size bounds an index
        Affine at;
        int64_t size;
        Span span;
        End end = End::none; // a varying index is replaced by one end: the place must not leave this side
    };
    using Binders = std::vector<ast::IndexBinder>;
    enum class Stage { groups, places };

    void walk(const ast::Expr& expression, Scope& scope, Stage stage);
    void walk_access(const ast::Expr& expression, const ast::Index& access, Scope& scope, Stage stage);
    void add_places(const ast::Index& access, const Shape& shape, Scope& scope);
    bool hidden(const Binders& binders, const Scope& scope);
    void make_labels(const Binders& binders, Scope& scope);
    bool solve_bounds(const Binders& binders, Scope& scope, bool reduces);
    void add_ends();
    bool solve_alone();
    bool solve_windows(bool& grown);
    bool solve_varying(bool& grown);
    bool adopt_largest(Varying& index);
    bool check_ends();
    bool is_ready(const Varying& index) const;
    const Varying* varying(int label) const;
    bool report_unsolved();
    const Term* object_value(const ast::ExprRef& object, Scope& scope);

    Elaborator& elaborator_;
    std::map<const Binders*, Set> sets_;
    std::map<const Binders*, int> group_sizes_;
    std::vector<const Binders*> group_scopes_; // innermost last
    std::vector<Place> places_;
    std::vector<Varying> varying_;                      // an index stands before those that its bound depends on
    std::map<int, std::pair<std::string, Span>> names_; // of labels
    std::vector<const ast::Expr*> evaluated_;
    std::set<const ast::Expr*> failed_;
    std::set<int> explicit_;
    bool good_ = true;
};

} // namespace gradc
