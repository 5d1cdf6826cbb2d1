// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Files without a header. `raw`: records of a fixed size, which have a part for each of several fields, in little
// endian. `tokens`: numbers of 16 bits, little endian, as tokenizers write them. Both are used in place, in the mapped
// file, if its numbers are those of the field or u16; all other data are converted number by number.
#include "runtime/base/dtype.h"
#include "runtime/base/text.h"
#include "runtime/data/array_file.h"

namespace gradc::runtime {

namespace {

/// A part of every record.
struct RecordPart {
    FileNumber number;
    int64_t record, offset; // bytes
};
constexpr RecordPart token_part{{'u', 2, false}, 2, 0};

FileNumber number_in_file(int32_t dtype) {
    char kind = dtype == GRADC_U8 ? 'u' : is_integer(dtype) ? 'i' : 'f';
    return {kind, int(element_size(dtype)), false};
}

/// The number of records, at least one; 0 after an error.
int64_t count_records(const std::string& path, std::string_view bytes, int64_t record, Error& error) {
    int64_t size = int64_t(bytes.size()), rest = size % record;
    if (size == 0) error.fail(path, ": error: the file is empty");
    if (rest > 0)
        error.fail(path, ": error: has ", size, " bytes, which is not a multiple of its record of ", record, " bytes",
                   known_format(bytes));
    return rest > 0 ? 0 : size / record;
}

bool open_records(const std::string& path, int64_t record, DataFile& file, int64_t& records, Error& error) {
    if (!file.open(path, error)) return false;
    records = count_records(path, file.bytes(), record, error);
    return records > 0;
}

/// Numbers of the part that the field may have whatever they are.
bool takes_all(const gradc_field& field, FileNumber number) {
    return number.kind == 'u' && field.low <= 0 && field.high >= (1 << 8 * number.size) - 1;
}

/// Appends the part of all records to the column; with `keep`, only checks the numbers.
bool convert(const std::string& path, const unsigned char* from, int64_t records, const RecordPart& part,
             Column& column, bool keep, Error& error) {
    std::string problem;
    unsigned char unused[8];
    int64_t width = keep ? element_size(column.field->stored) : 0;
    unsigned char* to = keep ? column.grow(records) : unused;
    for (int64_t row = 0; row < records; row++) {
        const unsigned char* at = from + row * part.record + part.offset;
        for (int64_t i = 0; i < column.entry_elements; i++, at += part.number.size, to += width) {
            if (store_checked(*column.field, read_number(at, part.number), to, problem)) continue;
            return error.fail(path, ':', row + 1, ':', i + 1, ": error: ", column.field->name, ' ', problem,
                              ", at byte ", at - from);
        }
    }
    return true;
}

bool take_part(const std::string& path, const RecordPart& part, Column& column, Error& error) {
    DataFile file;
    int64_t records = 0;
    if (!open_records(path, part.record, file, records, error)) return false;
    const auto* from = reinterpret_cast<const unsigned char*>(file.bytes().data());
    int32_t stored = column.field->stored;
    bool narrow = stored == GRADC_I32 && part.number.kind == 'u' && part.number.size == 2;
    FileNumber own = number_in_file(stored);
    bool in_place = narrow || (own.kind == part.number.kind && own.size == part.number.size);
    if (in_place && !file.packed && column.can_map(part.record, narrow)) {
        bool fine = takes_all(*column.field, part.number) || convert(path, from, records, part, column, false, error);
        if (fine) column.map(std::move(file.file), from + part.offset, records, part.record, narrow);
        return fine;
    }
    return column.own(path, error) && column.make_room(records, path, error) &&
           convert(path, from, records, part, column, true, error);
}

bool part_facts(const std::string& path, const RecordPart& part, int64_t elements, DataFile& file, FileFacts& facts,
                Error& error) {
    int64_t records = 0;
    if (!open_records(path, part.record, file, records, error)) return false;
    facts.shape = {records};
    const auto* from = reinterpret_cast<const unsigned char*>(file.bytes().data()) + part.offset;
    for (int64_t row = 0; row < records; row++, from += part.record) {
        for (int64_t i = 0; i < elements; i++) facts.take(read_number(from + i * part.number.size, part.number));
    }
    return true;
}

bool raw_facts(const std::string& path, const Selection& selection, DataFile& file, FileFacts& facts, Error& error) {
    RecordPart part{number_in_file(selection.in_file), selection.record, selection.offset};
    return part_facts(path, part, selection.elements, file, facts, error);
}

bool tokens_facts(const std::string& path, const Selection&, DataFile& file, FileFacts& facts, Error& error) {
    return part_facts(path, token_part, 1, file, facts, error);
}

bool read_raw(const std::string& path, const std::vector<Column*>& columns, Error& error) {
    return std::all_of(columns.begin(), columns.end(), [&](Column* each) {
        const gradc_field& field = *each->field;
        return take_part(path, {number_in_file(field.in_file), field.record, field.offset}, *each, error);
    });
}

bool read_tokens(const std::string& path, const std::vector<Column*>& columns, Error& error) {
    return std::all_of(columns.begin(), columns.end(),
                       [&](Column* each) { return take_part(path, token_part, *each, error); });
}

} // namespace

constinit const FileReader raw_reader{
    .name = "raw",
    .suffix = "",
    .takes_parts = true,
    .facts = raw_facts,
    .read = read_raw,
};

constinit const FileReader tokens_reader{
    .name = "tokens",
    .suffix = "",
    .stored = GRADC_I32,
    .one_number = true,
    .facts = tokens_facts,
    .read = read_tokens,
};

} // namespace gradc::runtime
