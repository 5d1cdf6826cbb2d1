// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Calls of models in one graph. Two calls of a model with the same arguments are one call and share its result, random
// numbers included. Distinct calls are numbered per model; the number is part of the path of their random streams.
#pragma once
#include "compiler/elaborate/term.h"
#include <map>

namespace gradc {

struct FunctionEntry;

class ModelCalls {
public:
    /// The number of the next distinct call of this model, from 1.
    int next_number(const std::string& model) { return ++numbers_[model]; }

    /// The result of an equal call; null if there was none.
    const Term* find(const FunctionEntry& model, const std::vector<Term>& arguments) const;
    /// Adds a call whose result stands at `level`.
    void add(const FunctionEntry& model, std::vector<Term> arguments, Term result, int level);
    /// Drops the calls whose results stand deeper than `level`, after a scan was closed.
    void forget_above(int level);

    /// A point to return to when the body of a scan is elaborated again.
    struct Mark {
        std::map<std::string, int> numbers;
        size_t added;
    };
    Mark mark() const { return {numbers_, added_}; }
    void restore(const Mark& mark);

private:
    struct Call {
        const FunctionEntry* model;
        std::vector<Term> arguments;
        Term result;
        int level;
        size_t number; // in order of adding
    };
    std::multimap<size_t, Call> calls_; // by hash of model and arguments
    size_t added_ = 0;
    std::map<std::string, int> numbers_;
};

} // namespace gradc
