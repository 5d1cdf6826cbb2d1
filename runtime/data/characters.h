// Raw text as codes: each character's place in an alphabet; and back.
#pragma once
#include "runtime/data/column.h"
#include <utility>

namespace gradc::runtime {

class Alphabet {
public:
    explicit Alphabet(std::string_view characters); // UTF-8, in order of code
    /// -1 for a character that is not in it.
    int64_t code(uint32_t character) const;
    int64_t size() const { return int64_t(spelling_.size()); }
    std::string_view spelling(int64_t code) const { return spelling_[size_t(code)]; }

private:
    std::vector<std::string> spelling_;                      // by code
    std::vector<std::pair<uint32_t, int64_t>> by_character_; // sorted
    int64_t ascii_[128];
};

/// The character at `at`, which moves behind it; -1 where the bytes are no UTF-8.
int64_t next_character(std::string_view text, size_t& at);

bool read_characters(const std::string& path, Column& column, Fault& fault);

} // namespace gradc::runtime
