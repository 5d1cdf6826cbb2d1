// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// The numbers of one field in memory: entries of equal size. A row is one entry, or a window of consecutive entries.
// Every number was checked against the declared type and range. Entries that the column owns lie one after another, in
// the field's stored dtype. Entries of mapped files may lie apart, and integers may be narrower than the field's.
#pragma once
#include "runtime/abi.h"
#include "runtime/base/files.h"
#include "runtime/data/dictionary.h"
#include <vector>

namespace gradc::runtime {

/// Entries in a mapped file.
struct MappedEntries {
    MappedFile file;
    const unsigned char* first;
    int64_t begin; // number of the first entry
};

struct Column {
    const gradc_field* field = nullptr;
    int64_t entry_elements = 1; // numbers of one entry
    int64_t entries = 0;
    std::vector<unsigned char> owned;  // the numbers, unless they are mapped
    std::vector<MappedEntries> mapped; // one file after another; all have `distance` and `narrow`
    int64_t distance = 0;              // bytes from entry to entry
    bool narrow = false;               // they are u16, the field is i32
    bool any_shape = false;            // an entry of a file may have other axes, if it has as many numbers
    Dictionary dictionary;             // of characters, and of strings that have codes
    ReadStrings strings;               // of a field of strings, until they have codes

    explicit Column(const gradc_field& of);
    /// The entries lie one after another from data() on, in the stored dtype.
    bool is_plain() const { return mapped.empty() || (mapped.size() == 1 && !narrow && distance == entry_bytes()); }
    const unsigned char* data() const { return mapped.empty() ? owned.data() : mapped[0].first; }
    /// Copies `count` entries, in the stored dtype.
    void copy_entries(int64_t begin, int64_t count, unsigned char* to) const;
    void copy_row(int64_t number, unsigned char* to) const { copy_entries(number * stride(), window(), to); }
    /// Appends entries that lie in a file, if those before are mapped alike.
    bool can_map(int64_t bytes_between, bool are_narrow) const;
    void map(MappedFile file, const unsigned char* first, int64_t count, int64_t bytes_between, bool are_narrow);
    /// Copies mapped entries, so that others can be appended to them.
    bool own(const std::string& path, Error& error);
    int64_t entry_bytes() const;
    int64_t window() const { return field->window > 0 ? field->window : 1; }
    int64_t stride() const { return field->window > 0 ? field->stride : 1; }
    int64_t row_bytes() const { return window() * entry_bytes(); }
    /// Of a plain column.
    const unsigned char* row(int64_t number) const { return data() + number * stride() * entry_bytes(); }
    /// The number of windows that lie completely in entries [from, to).
    int64_t rows_within(int64_t from, int64_t to) const;
    int64_t rows() const { return rows_within(0, entries); }
    /// The axes of one entry, within those of a row.
    const int64_t* entry_shape() const { return field->shape + (field->window > 0 ? 1 : 0); }
    int entry_rank() const { return field->rank - (field->window > 0 ? 1 : 0); }
    /// Reserves memory for `count` more entries and, if it is available, as many again, so that entries may be added
    /// one by one. False, with an error, if they do not fit.
    bool make_room(int64_t count, const std::string& path, Error& error) {
        bool room = count == 1 && owned.capacity() - owned.size() >= size_t(entry_bytes());
        return room || make_more_room(count, path, error);
    }
    bool make_more_room(int64_t count, const std::string& path, Error& error);
    /// Appends `count` entries, which are 0, and returns the address of the first.
    unsigned char* grow(int64_t count);

private:
    void copy_entry(const unsigned char* from, unsigned char* to) const;
};

/// The field is the number of the row: it has neither files nor a list of values.
inline bool is_row_number(const gradc_field& field) { return field.rows > 0 && !field.values; }

/// Stores `number` at `at` if the field's type and range allow it; otherwise `problem` is the reason: "is 12, not in
/// 0..9".
bool store_checked(const gradc_field& field, double number, unsigned char* at, std::string& problem);

} // namespace gradc::runtime
