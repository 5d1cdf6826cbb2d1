// See characters.h.
#include "runtime/data/characters.h"
#include "runtime/base/element.h"
#include "runtime/base/text.h"
#include <algorithm>

namespace gradc::runtime {

int64_t next_character(std::string_view text, size_t& at) {
    unsigned char first = static_cast<unsigned char>(text[at]);
    if (first < 0x80) return at++, first;
    int extra = first >= 0xF8 ? 0 : first >= 0xF0 ? 3 : first >= 0xE0 ? 2 : first >= 0xC0 ? 1 : 0;
    if (extra == 0 || at + size_t(extra) >= text.size()) return -1;
    static constexpr int64_t smallest[] = {0, 0x80, 0x800, 0x10000};
    int64_t character = first & (0x3F >> extra);
    for (int i = 1; i <= extra; i++) {
        unsigned char next = static_cast<unsigned char>(text[at + size_t(i)]);
        if ((next & 0xC0) != 0x80) return -1;
        character = character << 6 | (next & 0x3F);
    }
    if (character < smallest[extra] || character > 0x10FFFF) return -1;
    at += size_t(extra) + 1;
    return character;
}

Alphabet::Alphabet(std::string_view characters) {
    std::fill(std::begin(ascii_), std::end(ascii_), -1);
    for (size_t at = 0; at < characters.size();) {
        size_t begin = at;
        int64_t character = next_character(characters, at);
        if (character < 0) character = 0xFFFD, at = begin + 1;
        int64_t code = int64_t(spelling_.size());
        spelling_.emplace_back(characters.substr(begin, at - begin));
        if (character < 128) ascii_[character] = code;
        by_character_.push_back({uint32_t(character), code});
    }
    std::sort(by_character_.begin(), by_character_.end());
}

int64_t Alphabet::code(uint32_t character) const {
    if (character < 128) return ascii_[character];
    auto found =
        std::lower_bound(by_character_.begin(), by_character_.end(), std::pair<uint32_t, int64_t>(character, 0));
    return found != by_character_.end() && found->first == character ? found->second : -1;
}

bool read_characters(const std::string& path, Column& column, Fault& fault) {
    MappedFile file;
    if (!file.open(path, fault)) return false;
    std::string_view bytes = file.bytes();
    if (bytes.empty()) return fault.fail(path, ":1:1: error: the file is empty");
    Alphabet alphabet(column.field->alphabet);
    column.owned.reserve(bytes.size() * size_t(element_size(column.field->stored)));
    int64_t line = 1, place = 1;
    for (size_t at = 0; at < bytes.size(); place++) {
        size_t begin = at;
        int64_t character = next_character(bytes, at);
        if (character < 0) return fault.fail(path, ':', line, ':', place, ": error: this is no UTF-8 text");
        int64_t code = alphabet.code(uint32_t(character));
        if (code < 0) {
            return fault.fail(path, ':', line, ':', place, ": error: the character `", bytes.substr(begin, at - begin),
                              "` is not among the ", alphabet.size(), " that ", column.field->name,
                              " was compiled with");
        }
        store_element(column.grow(1), column.field->stored, double(code));
        if (character == '\n') line++, place = 0;
    }
    return true;
}

} // namespace gradc::runtime
