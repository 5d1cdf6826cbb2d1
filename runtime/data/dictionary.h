// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// The strings that a field's numbers stand for: characters, the classes of a label, words. A dictionary is sorted by
// bytes, which for UTF-8 is the order of code points. That of characters is part of the trainer. All others are made
// from the rows when training begins; checkpoints contain them, so that a prediction needs no other file.
#pragma once
#include "runtime/abi.h"
#include "runtime/base/safetensors.h"
#include <map>
#include <span>

namespace gradc::runtime {

class Dictionary {
public:
    /// `other`, if it is not empty, is the spelling of code 0, which then stands for all other strings.
    explicit Dictionary(std::vector<std::string> sorted = {}, std::string other = "");
    /// The characters of a text in UTF-8, in order of code.
    static Dictionary of_characters(std::string_view characters, bool other);
    /// -1, or 0 with `other`, if the string is not in the dictionary.
    int64_t code(std::string_view string) const;
    int64_t size() const { return int64_t(strings_.size()) + first_; }
    std::string_view spelling(int64_t code) const;
    /// Without `other`.
    const std::vector<std::string>& strings() const { return strings_; }

private:
    std::vector<std::string> strings_;
    std::string other_;
    int64_t first_;        // code of the first string
    int64_t of_byte_[128]; // code of each ASCII character
};

/// The rows are codes of characters.
inline bool is_text(const gradc_field& field) { return field.alphabet && *field.alphabet; }
/// The numbers stand for strings.
inline bool has_strings(const gradc_field& field) { return is_text(field) || field.strings != GRADC_NO_STRINGS; }

/// The spelling of code 0 if it stands for all other strings; "" if it does not.
std::string other_spelling(const gradc_field& field);
/// The most entries that the field's numbers can stand for.
int64_t dictionary_room(const gradc_field& field);

/// The dictionaries of a data set, by the names of their fields.
struct FieldDictionary {
    std::string field;
    Dictionary dictionary;
};
using Dictionaries = std::vector<FieldDictionary>;
/// Null if there is none.
const Dictionary* find_dictionary(const Dictionaries& dictionaries, std::string_view field);
/// Adds those of characters, which are part of the trainer, where they are absent.
void add_alphabets(const gradc_dataset& table, Dictionaries& dictionaries);

/// One entry for each dictionary: "dictionary.FIELD", a JSON list of strings.
void put_dictionaries(const Dictionaries& dictionaries, Metadata& metadata);
/// Takes those of the checkpoint at `path`. It is an error if one does not fit the field.
bool take_dictionaries(const gradc_dataset& table, const Metadata& metadata, const std::string& path,
                       Dictionaries& dictionaries, Error& error);

/// The strings of a field as they are read. Codes are given when all rows are known, because a dictionary may depend on
/// which rows are training rows.
class ReadStrings {
public:
    /// A string of the row that is being read, and its place for errors.
    void add(std::string_view string, const std::string& path, int64_t line);
    void end_row() { ends_.push_back(int64_t(numbers_.size())); }
    int64_t rows() const { return int64_t(ends_.size()); }
    /// Different strings.
    int64_t count() const { return int64_t(first_.size()); }
    /// The strings of a row, numbered in order of appearance.
    std::span<const int32_t> row(int64_t number) const;

    /// The `most` commonest strings of these rows, sorted; of equally common ones the first in order.
    std::vector<std::string> commonest(const std::vector<int64_t>& rows, int64_t most) const;
    /// By number of a string: its code, -1 if it has none.
    std::vector<int64_t> codes_in(const Dictionary& dictionary) const;
    /// "lines.txt:7:1: error: ", where the string was read first.
    std::string complaint(int64_t number) const;
    std::string_view spelling(int64_t number) const { return *first_[size_t(number)].string; }

private:
    struct First {
        const std::string* string;
        int64_t file, line;
    };
    std::map<std::string, int32_t, std::less<>> known_;
    std::vector<int32_t> recent_; // by hash: a string that had it, or -1
    std::vector<First> first_;
    std::vector<std::string> files_;
    std::vector<int32_t> numbers_; // of all rows, one after another
    std::vector<int64_t> ends_;
};

} // namespace gradc::runtime
