// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// See dataset.h. Fields of one file are read in one pass over it.
#include "runtime/data/dataset.h"
#include "runtime/base/dtype.h"
#include "runtime/base/hash.h"
#include "runtime/base/text.h"
#include "runtime/data/csv.h"
#include "runtime/data/shuffle.h"
#include <algorithm>
#include <cmath>

namespace gradc::runtime {

int Dataset::find_split(std::string_view name) const {
    for (size_t s = 0; s < splits.size(); s++) {
        if (splits[s].name == name) return int(s);
    }
    return -1;
}

int Dataset::training_split() const { return std::max(0, find_split("train")); }

/// Adds the numbers of a column as if they lay one after another.
static void add_numbers(Hash& hash, const Column& column) {
    int64_t bytes = column.entry_bytes();
    if (column.is_plain()) return hash.add(column.data(), size_t(column.entries * bytes));
    constexpr int64_t some = 4096; // entries; their bytes are whole words
    std::vector<unsigned char> numbers(size_t(some * bytes));
    for (int64_t begin = 0;; begin += some) {
        int64_t count = std::min(some, column.entries - begin), word;
        column.copy_entries(begin, count, numbers.data());
        if (count < some) return hash.add(numbers.data(), size_t(count * bytes));
        for (size_t at = 0; at < numbers.size(); at += sizeof word) {
            memcpy(&word, numbers.data() + at, sizeof word);
            hash.add(word);
        }
    }
}

uint64_t Dataset::hash() const {
    Hash hash;
    for (const Column& column : columns) {
        hash.add(column.field->name);
        hash.add(int64_t(column.field->stored));
        add_numbers(hash, column);
        if (column.field->strings == GRADC_NO_STRINGS) continue;
        for (const std::string& string : column.dictionary.strings()) hash.add(string);
    }
    return hash.value();
}

// ---- reading -----------------------------------------------------------------------------------

static bool read_numbers(Column& column, Error& error) { // literals and ranges
    const gradc_field& field = *column.field;
    unsigned char* at = column.grow(field.rows);
    int64_t size = element_size(field.stored);
    std::string problem;
    for (int64_t i = 0; i < field.rows * column.entry_elements; i++) {
        double number = is_row_number(field) ? double(i / column.entry_elements) : field.values[i];
        if (store_checked(field, number, at + i * size, problem)) continue;
        return error.fail(field.name, ": error: row ", i / column.entry_elements + 1, " of the model file's ", problem);
    }
    return true;
}

/// Reads file number `file` of every field; `ends` gets the number of entries of each column. Fields with the same
/// reader and file are read together.
static bool read_files(const Places& places, std::vector<Column>& columns, int file, std::vector<int64_t>& ends,
                       Error& error) {
    std::vector<bool> done(columns.size(), false);
    for (size_t first = 0; first < columns.size(); first++) {
        const gradc_field& field = *columns[first].field;
        if (done[first] || file >= field.file_count) continue;
        std::string_view reader = field.reader, path = field.files[file].path;
        std::vector<Column*> together;
        for (size_t c = first; c < columns.size(); c++) {
            const gradc_field& other = *columns[c].field;
            if (file >= other.file_count || reader != other.reader || path != other.files[file].path) continue;
            together.push_back(&columns[c]);
            done[c] = true;
        }
        std::string found = places.find(path, error);
        const FileReader* reads = find_reader(reader);
        if (!reads) return error.fail_as(internal_error, "field ", field.name, " has no reader");
        if (error || !reads->read(found, together, error)) return false;
    }
    for (const Column& column : columns) ends.push_back(column.entries);
    return true;
}

/// If rows are split by file, each file must have the same number of rows for all fields.
static bool files_agree(const std::vector<Column>& columns, int file, const std::vector<int64_t>& before,
                        const std::vector<int64_t>& after, Error& error) {
    size_t first = columns.size();
    for (size_t c = 0; c < columns.size(); c++) {
        const gradc_field& field = *columns[c].field;
        if (field.file_count <= 1) continue;
        first = std::min(first, c);
        int64_t own = after[c] - before[c], wanted = after[first] - before[first];
        if (own == wanted || field.window > 0) continue;
        return error.fail(field.files[file].path, ": error: holds ", own, " rows of ", field.name, ", but ",
                          columns[first].field->name, " has ", wanted);
    }
    return true;
}

/// Characters have codes while they are read.
static void take_alphabets(Dataset& dataset) {
    for (Column& column : dataset.columns) {
        const Dictionary* given = find_dictionary(dataset.dictionaries, column.field->name);
        if (given) column.dictionary = *given;
    }
}

/// Reads all columns. If rows are split by file, `ends` are the ends of the files in the first column with most files.
static bool read_columns(const gradc_dataset& table, const Places& places, Dataset& dataset, std::vector<int64_t>& ends,
                         Error& error) {
    std::vector<Column>& columns = dataset.columns;
    int files = 0;
    size_t first = 0; // the first column with most files
    for (int f = 0; f < table.field_count; f++) {
        const gradc_field& field = table.fields[f];
        columns.emplace_back(field);
        if (field.file_count > files) files = field.file_count, first = size_t(f);
        if (field.file_count == 0 && !read_numbers(columns.back(), error)) return false;
    }
    take_alphabets(dataset);
    std::vector<int64_t> before(columns.size(), 0);
    for (int file = 0; file < files; file++) {
        std::vector<int64_t> after;
        if (!read_files(places, columns, file, after, error)) return false;
        if (table.split_by_file && !files_agree(columns, file, before, after, error)) return false;
        ends.push_back(after[first]);
        before = after;
    }
    return true;
}

// ---- splits ------------------------------------------------------------------------------------

static std::string source_of(const gradc_field& field) {
    return field.file_count > 0 ? text(field.files[0].path, ": error: ") : text(field.name, ": error: ");
}

static bool rows_agree(Dataset& dataset, Error& error) {
    dataset.rows = dataset.columns.empty() ? 0 : dataset.columns[0].rows();
    for (const Column& column : dataset.columns) {
        if (column.field->window > 0 && column.rows() == 0) {
            return error.fail(source_of(*column.field), "has ", column.entries, " entries, fewer than a window of ",
                              column.field->window);
        }
        if (column.rows() == dataset.rows) continue;
        return error.fail(source_of(*column.field), column.field->name, " has ", column.rows(), " rows, but ",
                          dataset.columns[0].field->name, " has ", dataset.rows);
    }
    return true;
}

static std::vector<int64_t> counted(int64_t from, int64_t to) {
    std::vector<int64_t> rows;
    rows.reserve(size_t(std::max<int64_t>(0, to - from)));
    for (int64_t row = from; row < to; row++) rows.push_back(row);
    return rows;
}

static void split_by_file(const gradc_dataset& table, const std::vector<int64_t>& ends, Dataset& dataset) {
    const gradc_field* named = nullptr;
    for (int f = 0; f < table.field_count && !named; f++) {
        if (table.fields[f].file_count == int(ends.size())) named = &table.fields[f];
    }
    const Column& column = dataset.columns[size_t(named - table.fields)];
    int64_t entry = 0;
    for (size_t i = 0; i < ends.size(); i++) { // no window crosses from file to file
        int64_t from = (entry + column.stride() - 1) / column.stride();
        std::vector<int64_t> rows = counted(from, from + column.rows_within(entry, ends[i]));
        int known = dataset.find_split(named->files[i].split);
        if (known < 0) {
            dataset.splits.push_back({named->files[i].split, std::move(rows)});
        } else { // a list of files
            std::vector<int64_t>& all = dataset.splits[size_t(known)].rows;
            all.insert(all.end(), rows.begin(), rows.end());
        }
        entry = ends[i];
    }
}

static void split_by_fraction(const gradc_dataset& table, int64_t seed, Dataset& dataset) {
    const Column& column = dataset.columns[0];
    bool overlapping = column.window() > column.stride(); // a shuffle would put parts of one row into several splits
    if (table.in_order || overlapping) {
        double before = 0;
        for (int s = 0; s < table.split_count; s++) {
            double after = before + table.splits[s].fraction;
            int64_t from = std::llround(before * double(column.entries));
            int64_t to = std::min<int64_t>(column.entries, std::llround(after * double(column.entries)));
            int64_t first = (from + column.stride() - 1) / column.stride();
            dataset.splits.push_back({table.splits[s].name, counted(first, first + column.rows_within(from, to))});
            before = after;
        }
        return;
    }
    std::vector<int64_t> order = counted(0, dataset.rows);
    shuffle(order, Generator(seed, cutting, 0));
    double before = 0;
    for (int s = 0; s < table.split_count; s++) {
        double after = before + table.splits[s].fraction;
        int64_t from = std::min<int64_t>(dataset.rows, std::llround(before * double(dataset.rows)));
        int64_t to = std::min<int64_t>(dataset.rows, std::llround(after * double(dataset.rows)));
        Split split{table.splits[s].name, {order.begin() + from, order.begin() + to}};
        std::sort(split.rows.begin(), split.rows.end());
        dataset.splits.push_back(std::move(split));
        before = after;
    }
}

// ---- strings -----------------------------------------------------------------------------------

/// The strings of a field for which no dictionary is given: with `other` those of the training rows, else all.
static bool make_dictionary(const Dataset& dataset, Column& column, Error& error) {
    const gradc_field& field = *column.field;
    const Split& train = dataset.splits[size_t(dataset.training_split())];
    int64_t room = dictionary_room(field), all = column.strings.count();
    if (!field.other && all > room)
        return error.fail(column.strings.complaint(room), field.name, " `", visible(column.strings.spelling(room)),
                          "` is one of ", all, " classes, more than ", room);
    std::vector<int64_t> every;
    if (!field.other) every = counted(0, dataset.rows);
    std::vector<std::string> strings = column.strings.commonest(field.other ? train.rows : every, room - field.other);
    column.dictionary = Dictionary(std::move(strings), other_spelling(field));
    return true;
}

/// Replaces the strings of a column by numbers.
static bool store_strings(Column& column, const std::string& path, Error& error) {
    const gradc_field& field = *column.field;
    ReadStrings strings = std::move(column.strings);
    std::vector<int64_t> codes = strings.codes_in(column.dictionary);
    column.strings = {};
    column.entries = 0;
    if (!column.make_room(strings.rows(), path, error)) return false;
    int64_t size = element_size(field.stored);
    for (int64_t row = 0; row < strings.rows(); row++) {
        unsigned char* entry = column.grow(1);
        for (int32_t number : strings.row(row)) {
            int64_t code = codes[size_t(number)];
            if (code < 0)
                return error.fail(strings.complaint(number), field.name, " is ", quoted(strings.spelling(number)),
                                  ", which is none of its ", column.dictionary.size(), " classes");
            unsigned char* at = field.strings == GRADC_WORDS ? entry + code * size : entry;
            bool counts = field.strings == GRADC_WORDS;
            store_element(at, field.stored, counts ? load_element(at, field.stored) + 1 : double(code));
        }
    }
    return true;
}

static bool code_strings(Dataset& dataset, bool may_make, const std::string& path, Error& error) {
    for (Column& column : dataset.columns) {
        const gradc_field& field = *column.field;
        if (field.strings == GRADC_NO_STRINGS) continue;
        const Dictionary* given = find_dictionary(dataset.dictionaries, field.name);
        if (given) {
            column.dictionary = *given;
        } else if (!may_make) {
            return error.fail("the checkpoint has no dictionary of ", field.name, ", which is needed to read ", path);
        } else {
            if (!make_dictionary(dataset, column, error)) return false;
            dataset.dictionaries.push_back({field.name, column.dictionary});
        }
        if (!store_strings(column, path, error)) return false;
    }
    return true;
}

bool load_dataset(const gradc_dataset& table, const Places& places, int64_t seed, Dataset& dataset, Error& error) {
    dataset.table = &table;
    add_alphabets(table, dataset.dictionaries);
    std::vector<int64_t> ends;
    if (!read_columns(table, places, dataset, ends, error) || !rows_agree(dataset, error)) return false;
    if (table.split_by_file && !ends.empty()) {
        split_by_file(table, ends, dataset);
    } else if (table.split_count > 0) {
        split_by_fraction(table, seed, dataset);
    } else {
        dataset.splits.push_back({"train", counted(0, dataset.rows)});
    }
    for (const Split& split : dataset.splits) {
        if (split.rows.empty()) {
            return error.fail("data set ", table.name, ": error: split ", split.name, " has no rows: there are only ",
                              dataset.rows, " in all");
        }
    }
    return code_strings(dataset, true, table.name, error);
}

// ---- rows from elsewhere -----------------------------------------------------------------------

/// Fields that do not come from a table take the columns "image.0", "image.1" .. or, if alone, all columns; characters
/// take one column of text.
static CsvTarget foreign_target(Column& column, bool alone) {
    CsvTarget target = csv_target(column);
    if (column.field->column_count > 0 || column.field->column_name_count > 0) return target;
    for (int64_t i = 0; i < column.entry_elements; i++) {
        if (alone) {
            target.cells.numbers.push_back(i);
        } else {
            target.cells.names.push_back(column.entry_elements == 1 ? std::string(column.field->name)
                                                                    : text(column.field->name, '.', i));
        }
    }
    return target;
}

/// Reads an array of one entry for each row: the numbers of all fields, one field after another.
static bool load_joined(const FileReader& reader, const std::string& path, Dataset& dataset, Error& error) {
    int64_t total = 0;
    for (const Column& column : dataset.columns) total += column.entry_elements;
    gradc_field joined{};
    joined.name = dataset.table->name;
    joined.stored = GRADC_F64, joined.rank = 1, joined.shape = &total, joined.high = -1;
    Column all(joined);
    if (!reader.read(path, {&all}, error)) return false;
    std::string problem;
    const unsigned char* from = all.data();
    for (int64_t row = 0; row < all.entries; row++) {
        int64_t place = 0;
        for (Column& column : dataset.columns) {
            unsigned char* to = column.grow(1);
            int64_t size = element_size(column.field->stored);
            for (int64_t i = 0; i < column.entry_elements; i++, to += size, from += 8, place++) {
                if (store_checked(*column.field, load_element(from, GRADC_F64), to, problem)) continue;
                return error.fail(path, ':', row + 1, ':', place + 1, ": error: ", column.field->name, ' ', problem);
            }
        }
    }
    return true;
}

static bool load_table(const std::string& path, Dataset& dataset, Error& error) {
    std::vector<CsvTarget> targets;
    for (Column& column : dataset.columns) {
        targets.push_back(foreign_target(column, dataset.columns.size() == 1));
        targets.back().is_text = is_text(*column.field);
    }
    return read_csv(path, targets, error, true);
}

/// By the file's suffix, else that of all fields, else CSV.
static const FileReader& reader_of(const gradc_dataset& table, const std::string& path) {
    bool text = table.field_count == 1 && is_text(table.fields[0]);
    for (const FileReader* each : file_readers()) {
        if (*each->suffix && path.ends_with(each->suffix) && (text || !each->is_text)) return *each;
    }
    const FileReader* own = find_reader(table.fields[0].reader ? table.fields[0].reader : "");
    for (int32_t f = 1; own && f < table.field_count; f++) {
        if (!table.fields[f].reader || std::string_view(own->name) != table.fields[f].reader) own = nullptr;
    }
    bool reads = own && (table.field_count == 1 || own->takes_parts);
    return reads ? *own : *find_reader("csv");
}

bool load_rows(const gradc_dataset& table, const std::string& path, Dataset& dataset, Error& error) {
    dataset.table = &table;
    for (int f = 0; f < table.field_count; f++) dataset.columns.emplace_back(table.fields[f]);
    take_alphabets(dataset);
    bool alone = table.field_count == 1;
    const FileReader& reader = reader_of(table, path);
    std::vector<Column*> all;
    for (Column& column : dataset.columns) column.any_shape = alone, all.push_back(&column);
    bool read = reader.takes_columns          ? load_table(path, dataset, error)
                : alone || reader.takes_parts ? reader.read(path, all, error)
                                              : load_joined(reader, path, dataset, error);
    if (!read || !rows_agree(dataset, error)) return false;
    dataset.splits.push_back({"rows", counted(0, dataset.rows)});
    bool strings = !reader.takes_columns && reader.reads_strings;
    return !strings || code_strings(dataset, false, path, error);
}

} // namespace gradc::runtime
