// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Cells hold the values that `<-` changes: states of models, parameters and states under an optimizer. A cell is named
// by the path of its variable and holds the value from the current statement on.
#pragma once
#include "compiler/elaborate/term.h"
#include <map>
#include <set>

namespace gradc {

class Cells {
public:
    using Values = std::map<std::string, Term>; // by path

    /// The current value; null if there is no such cell.
    const Term* find(const std::string& path) const {
        auto found = values_.find(path);
        return found == values_.end() ? nullptr : &found->second;
    }
    /// Makes the cell, or gives it a new value.
    void set(const std::string& path, Term value) { values_[path] = std::move(value); }
    const Values& values() const { return values_; }
    /// Sets all cells at once and returns their values from before: both branches of an `if` start alike.
    Values replace(Values values) { return std::exchange(values_, std::move(values)); }

    /// Marks a cell as a state of a model. It starts from `value` unless it exists already.
    void add_state(const std::string& path, const Term& value) {
        values_.try_emplace(path, value);
        states_.insert(path);
    }
    /// Paths of the states of models, in order.
    const std::set<std::string>& states() const { return states_; }

private:
    Values values_;
    std::set<std::string> states_;
};

} // namespace gradc
