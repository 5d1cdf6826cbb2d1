// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Identifiers and numbers as C++ spells them.
#pragma once
#include "compiler/program/program.h"
#include <map>
#include <set>
#include <string>

namespace gradc::target {

/// Letters, digits and underscores of `text`; never empty, never beginning with a digit or
/// underscore.
std::string identifier(const std::string& text);

/// Names of one scope: each is given once; keywords, types and the names of the prelude
/// are taken.
class Names {
public:
    /// `wanted` made an identifier, with a number behind it if it is taken.
    std::string fresh(const std::string& wanted);
    /// `stem` and the next number: t1, t2 ..
    std::string numbered(const std::string& stem);
    bool free(const std::string& name) const;

private:
    std::set<std::string> taken_;
    std::map<std::string, int> numbers_, repeats_; // the last number given, by stem and by wanted name
};

/// "AVX2" of "avx2".
std::string upper(std::string_view name);

/// True if `word` stands in the text, not as a part of another word.
bool contains_word(const std::string& text, const std::string& word);

/// A literal of this element type that reads back to the same value.
std::string number(double value, Dtype dtype);
std::string integer_number(int64_t value, Dtype dtype);

/// A string literal, quotes included.
std::string quoted(const std::string& text);

} // namespace gradc::target
