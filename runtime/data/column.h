// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// The numbers of one field in memory, in the field's stored dtype: entries of equal size, one after another. A row is
// one entry, or a window of consecutive entries. Every number was checked against the declared type and range.
#pragma once
#include "runtime/abi.h"
#include "runtime/base/files.h"
#include <vector>

namespace gradc::runtime {

struct Column {
    const gradc_field* field = nullptr;
    int64_t entry_elements = 1; // numbers of one entry
    int64_t entries = 0;
    std::vector<unsigned char> owned; // the numbers, unless they lie in `file`
    MappedFile file;
    const unsigned char* mapped = nullptr;
    bool any_shape = false; // an entry of a file may have other axes, if it has as many numbers

    explicit Column(const gradc_field& of);
    const unsigned char* data() const { return mapped ? mapped : owned.data(); }
    int64_t entry_bytes() const;
    int64_t window() const { return field->window > 0 ? field->window : 1; }
    int64_t stride() const { return field->window > 0 ? field->stride : 1; }
    int64_t row_bytes() const { return window() * entry_bytes(); }
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
    /// Appends `count` entries and returns the address of the first.
    unsigned char* grow(int64_t count);
};

/// The rows are codes of characters.
inline bool is_text(const gradc_field& field) { return field.alphabet && *field.alphabet; }
/// The field is the number of the row: it has neither files nor a list of values.
inline bool is_row_number(const gradc_field& field) { return field.rows > 0 && !field.values; }

/// Stores `number` at `at` if the field's type and range allow it; otherwise `problem` is the reason: "is 12, not in
/// 0..9".
bool store_checked(const gradc_field& field, double number, unsigned char* at, std::string& problem);

} // namespace gradc::runtime
