// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// The reader `csv`. Errors name a row by its line in the file and a column by its number from 1.
#include "runtime/data/csv.h"
#include "runtime/base/dtype.h"
#include "runtime/base/text.h"
#include <algorithm>

namespace gradc::runtime {

// ---- records -----------------------------------------------------------------------------------

CsvReader::CsvReader(std::string_view text, std::string path) : text_(text), path_(std::move(path)) {
    if (text_.starts_with("\xEF\xBB\xBF")) at_ = 3;
}

bool CsvReader::quoted_cell(Cell& cell, size_t column, Error& error) {
    int64_t opened = line_;
    size_t begin = ++at_;
    for (;; at_++) {
        if (at_ >= text_.size()) {
            return error.fail(path_, ':', opened, ':', column, ": error: this quoted cell is not closed");
        }
        if (text_[at_] == '\n') line_++;
        if (text_[at_] != '"') continue;
        if (at_ + 1 >= text_.size() || text_[at_ + 1] != '"') break;
        at_++;
    }
    cell = {text_.substr(begin, at_ - begin), true};
    at_++;
    if (at_ < text_.size() && text_[at_] == '\r' && at_ + 1 < text_.size() && text_[at_ + 1] == '\n') at_++;
    if (at_ < text_.size() && text_[at_] != ',' && text_[at_] != '\n') {
        return error.fail(path_, ':', line_, ':', column, ": error: text after a closing quote");
    }
    return true;
}

bool CsvReader::next(std::vector<Cell>& cells, Error& error) {
    cells.clear();
    while (at_ < text_.size() &&
           (text_[at_] == '\n' || (text_[at_] == '\r' && at_ + 1 < text_.size() && text_[at_ + 1] == '\n'))) {
        at_ += text_[at_] == '\n' ? 1 : 2;
        line_++;
    }
    record_line_ = line_;
    if (width_ == 0) first_line_ = line_;
    if (at_ >= text_.size()) return false;
    for (;;) {
        Cell cell;
        bool opens = at_ < text_.size() && text_[at_] == '"';
        if (!(opens ? quoted_cell(cell, cells.size() + 1, error) : plain_cell(cell, cells.size() + 1, error)))
            return false;
        cells.push_back(cell);
        if (at_ >= text_.size()) return check_width(cells.size(), error);
        if (text_[at_++] == ',') continue;
        line_++;
        return check_width(cells.size(), error);
    }
}

bool CsvReader::plain_cell(Cell& cell, size_t column, Error& error) {
    size_t begin = at_;
    while (at_ < text_.size() && text_[at_] != ',' && text_[at_] != '\n' && text_[at_] != '\r') at_++;
    cell.text = text_.substr(begin, at_ - begin);
    if (at_ >= text_.size() || text_[at_] != '\r') return true;
    at_++;
    if (at_ >= text_.size() || text_[at_] == '\n') return true;
    return error.fail(path_, ':', line_, ':', column,
                      ": error: a lone carriage return does not end a line; `tr '\\r' '\\n'` converts such a file");
}

bool CsvReader::check_width(size_t cells, Error& error) {
    if (width_ == 0) width_ = cells;
    if (cells == width_) return true;
    return error.fail(path_, ':', record_line_, ':', std::min(cells, width_) + 1, ": error: this row has ", cells,
                      cells == 1 ? " column" : " columns", ", line ", first_line_, " has ", width_);
}

static std::string_view trimmed(std::string_view text) {
    while (!text.empty() && (text.front() == ' ' || text.front() == '\t')) text.remove_prefix(1);
    while (!text.empty() && (text.back() == ' ' || text.back() == '\t')) text.remove_suffix(1);
    return text;
}

std::string cell_text(const CsvReader::Cell& cell) {
    std::string plain;
    std::string_view from = cell.quoted ? cell.text : trimmed(cell.text);
    for (size_t at = 0; at < from.size(); at++) {
        plain += from[at];
        if (cell.quoted && from[at] == '"') at++;
    }
    return plain;
}

bool cell_number(const CsvReader::Cell& cell, double& number) { return parse_number(trimmed(cell.text), number); }

int64_t find_column(const CsvReader& reader, const std::vector<std::string>& header, std::string_view name,
                    Error& error) {
    auto found = std::find(header.begin(), header.end(), name);
    auto again = found == header.end() ? found : std::find(found + 1, header.end(), name);
    if (found != header.end() && again == header.end()) return found - header.begin();
    if (found != header.end()) {
        error.fail(reader.path(), ':', reader.first_line(), ':', again - header.begin() + 1, ": error: columns ",
                   found - header.begin(), " and ", again - header.begin(), " (from 0) are both called ", quoted(name),
                   "; select one by its number, or rename the other");
        return -1;
    }
    std::string known;
    for (const std::string& each : header) {
        if (known.size() < 200) known += text(known.empty() ? "" : ", ", visible(std::string_view(each).substr(0, 40)));
    }
    error.fail(reader.path(), ':', reader.first_line(), ":1: error: no column is called ", quoted(name),
               "; the header has ", known);
    return -1;
}

bool lacks_column(const CsvReader& reader, std::string_view name, int64_t number,
                  const std::vector<CsvReader::Cell>& cells, Error& error) {
    static constexpr std::string_view others[][2] = {{";", "`;`"}, {"\t", "tabs"}, {"|", "`|`"}};
    std::string repair;
    for (const auto& [other, called] : others) {
        if (repair.empty() && cells.size() == 1 && cells[0].text.find(other) != std::string_view::npos)
            repair = text("; its cells seem to be separated by ", called, ": write commas");
    }
    if (repair.empty() && cells.size() == 1) repair = text(": ", quoted(cells[0].text));
    return error.fail(reader.path(), ':', reader.first_line(), ":1: error: ", name, " is column ", number,
                      " (from 0), but a row has ", reader.width(), reader.width() == 1 ? " column" : " columns",
                      repair);
}

// ---- columns -----------------------------------------------------------------------------------

namespace {

struct Use { // which cell is which number of which column
    size_t cell;
    CsvTarget* target;
    int64_t place;
};

class CsvColumns {
public:
    CsvColumns(CsvReader& reader, std::vector<CsvTarget>& targets, bool compact, Error& error)
        : reader_(reader), targets_(targets), compact_(compact), error_(error) {}
    bool read();

private:
    bool first_record();
    bool resolve_names();
    void compact_numbers();
    bool resolve_numbers();
    bool is_header(const Use& use) const;
    bool store_record();
    bool store_text(const Use& use);
    bool complain_about(const Use& use, std::string_view problem) const;
    std::string column_name(size_t cell) const;

    CsvReader& reader_;
    std::vector<CsvTarget>& targets_;
    bool compact_;
    Error& error_;
    std::vector<CsvReader::Cell> cells_;
    std::vector<std::string> header_;
    std::vector<Use> uses_;
    std::vector<unsigned char*> entries_; // by target: the address of this record's entry
};

std::string CsvColumns::column_name(size_t cell) const {
    return cell < header_.size() && !header_[cell].empty() ? text(' ', quoted(header_[cell])) : "";
}

bool CsvColumns::complain_about(const Use& use, std::string_view problem) const {
    return error_.fail(reader_.path(), ':', reader_.line(), ':', use.cell + 1,
                       ": error: ", use.target->column->field->name, column_name(use.cell), ' ', problem);
}

bool CsvColumns::resolve_names() {
    for (CsvTarget& target : targets_) {
        for (size_t place = 0; place < target.cells.names.size(); place++) {
            int64_t found = find_column(reader_, header_, target.cells.names[place], error_);
            if (found < 0) return false;
            uses_.push_back({size_t(found), &target, int64_t(place)});
        }
    }
    return true;
}

/// If the file has only the selected columns: their positions in the order of the file.
void CsvColumns::compact_numbers() {
    std::vector<int64_t> all;
    for (const CsvTarget& target : targets_)
        all.insert(all.end(), target.cells.numbers.begin(), target.cells.numbers.end());
    std::sort(all.begin(), all.end());
    all.erase(std::unique(all.begin(), all.end()), all.end());
    if (all.empty() || all.size() != reader_.width()) return;
    for (CsvTarget& target : targets_) {
        for (int64_t& number : target.cells.numbers)
            number = std::lower_bound(all.begin(), all.end(), number) - all.begin();
    }
}

bool CsvColumns::resolve_numbers() {
    if (compact_) compact_numbers();
    for (CsvTarget& target : targets_) {
        for (size_t place = 0; place < target.cells.numbers.size(); place++) {
            int64_t number = target.cells.numbers[place];
            if (number >= int64_t(reader_.width()))
                return lacks_column(reader_, target.column->field->name, number, cells_, error_);
            uses_.push_back({size_t(number), &target, int64_t(place)});
        }
    }
    return true;
}

/// A number is expected and the cell has none; a text column has the name of its field.
bool CsvColumns::is_header(const Use& use) const {
    const CsvReader::Cell& cell = cells_[use.cell];
    double number;
    return use.target->is_text ? trimmed(cell.text) == use.target->column->field->name : !cell_number(cell, number);
}

/// Checks for a header and resolves the columns. The record is data unless header_ is set afterwards.
bool CsvColumns::first_record() {
    bool by_name = false;
    for (const CsvTarget& target : targets_) by_name |= !target.cells.names.empty();
    if (!resolve_numbers()) return false;
    bool header = by_name;
    for (const Use& use : uses_) header |= is_header(use);
    if (!header) return true;
    for (const CsvReader::Cell& cell : cells_) header_.push_back(cell_text(cell));
    return resolve_names();
}

/// Describes a cell that holds no number, with a repair.
static std::string no_number(const CsvReader::Cell& cell) {
    std::string_view found = trimmed(cell.text);
    if (found.empty()) return "is empty, but a number is expected; fill it in, or remove the row";
    std::string point(found);
    std::replace(point.begin(), point.end(), ',', '.');
    double number;
    bool comma = parse_number(point, number);
    return text("is ", quoted(found), ", but a number is expected", comma ? text("; write ", point) : "");
}

bool CsvColumns::store_record() {
    for (size_t t = 0; t < targets_.size(); t++) {
        Column& column = *targets_[t].column;
        int64_t more = targets_[t].is_text ? column.window() : 1;
        if (!column.make_room(more, reader_.path(), error_)) return false;
        entries_[t] = column.grow(more);
    }
    std::string problem;
    for (const Use& use : uses_) {
        if (use.target->is_text) {
            if (!store_text(use)) return false;
            continue;
        }
        const Column& column = *use.target->column;
        double number = 0;
        if (!cell_number(cells_[use.cell], number)) return complain_about(use, no_number(cells_[use.cell]));
        unsigned char* entry = entries_[size_t(use.target - targets_.data())];
        unsigned char* at = entry + use.place * element_size(column.field->stored);
        if (!store_checked(*column.field, number, at, problem)) return complain_about(use, problem);
    }
    return true;
}

/// Stores the characters of a cell as codes; their number must be that of a row.
bool CsvColumns::store_text(const Use& use) {
    const Column& column = *use.target->column;
    std::string cell = cells_[use.cell].quoted ? cell_text(cells_[use.cell]) : std::string(cells_[use.cell].text);
    unsigned char* at = entries_[size_t(use.target - targets_.data())];
    int64_t count = 0;
    for (size_t place = 0; place < cell.size(); count++) {
        size_t begin = place;
        if (next_character(cell, place) < 0) return complain_about(use, text("has ", not_utf8(cell, begin)));
        std::string_view bytes = std::string_view(cell).substr(begin, place - begin);
        int64_t code = column.dictionary.code(bytes);
        if (code < 0)
            return complain_about(use, text("has the character ", quoted(bytes), ", which is not in its alphabet"));
        if (count >= column.window()) continue;
        store_element(at, column.field->stored, double(code));
        at += element_size(column.field->stored);
    }
    if (count == column.window()) return true;
    return complain_about(use, text("has ", count, " characters, but a row has ", column.window()));
}

bool CsvColumns::read() {
    entries_.resize(targets_.size());
    if (!reader_.next(cells_, error_)) {
        return !error_ && error_.fail(reader_.path(), ":1:1: error: the file is empty");
    }
    if (!first_record()) return false;
    for (const CsvTarget& target : targets_) {
        size_t wanted = std::max(target.cells.names.size(), target.cells.numbers.size());
        if (int64_t(wanted) == target.column->entry_elements) continue;
        return error_.fail(reader_.path(), ":1:1: error: ", target.column->field->name, " takes ",
                           target.column->entry_elements, " numbers a row, but ", wanted, " columns are named");
    }
    if (header_.empty() && !store_record()) return false;
    int64_t before = targets_.empty() ? 0 : targets_[0].column->entries;
    while (reader_.next(cells_, error_)) {
        if (!store_record()) return false;
    }
    if (!error_ && !header_.empty() && !targets_.empty() && targets_[0].column->entries == before) {
        error_.fail(reader_.path(), ':', reader_.first_line() + 1, ":1: error: there is a header but no row");
    }
    return !error_;
}

/// Finds the selected cells in the first record; false after an error.
bool find_cells(const CsvReader& reader, const std::vector<CsvReader::Cell>& first, const Selection& selection,
                std::vector<size_t>& wanted, Error& error) {
    std::vector<std::string> header;
    for (const CsvReader::Cell& cell : first) header.push_back(cell_text(cell));
    for (const std::string& name : selection.names) {
        int64_t found = find_column(reader, header, name, error);
        if (found < 0) return false;
        wanted.push_back(size_t(found));
    }
    for (int64_t number : selection.numbers) {
        if (number >= int64_t(first.size())) return lacks_column(reader, "the field", number, first, error);
        wanted.push_back(size_t(number));
    }
    for (size_t cell = 0; wanted.size() < first.size() && selection.names.empty() && selection.numbers.empty(); cell++)
        wanted.push_back(cell);
    return true;
}

bool csv_facts(const std::string& path, const Selection& selection, DataFile& file, FileFacts& facts, Error& error) {
    if (!file.open_text(path, error)) return false;
    CsvReader reader(file.bytes(), path);
    std::vector<CsvReader::Cell> cells;
    std::vector<size_t> wanted;
    bool any = reader.next(cells, error);
    if (!any && !error) error.fail(path, ":1:1: error: the file is empty");
    if (!any || !find_cells(reader, cells, selection, wanted, error)) return false;
    double number;
    bool header = !selection.names.empty();
    for (size_t cell : wanted) header |= !cell_number(cells[cell], number);
    int64_t rows = 0;
    for (bool more = !header || reader.next(cells, error); more; more = reader.next(cells, error)) {
        rows++;
        for (size_t cell : wanted) {
            if (cell_number(cells[cell], number)) facts.take(number);
        }
    }
    if (!error && !rows) error.fail(path, ':', reader.first_line() + 1, ":1: error: there is a header but no row");
    facts.shape = {rows, int64_t(wanted.size())};
    return !error;
}

bool read_csv_columns(const std::string& path, const std::vector<Column*>& columns, Error& error) {
    std::vector<CsvTarget> targets;
    for (Column* column : columns) targets.push_back(csv_target(*column));
    return read_csv(path, targets, error);
}

} // namespace

CsvTarget csv_target(Column& column) {
    const gradc_field& field = *column.field;
    CsvTarget target{&column, {}};
    target.cells.numbers.assign(field.columns, field.columns + field.column_count);
    for (int i = 0; i < field.column_name_count; i++) target.cells.names.emplace_back(field.column_names[i]);
    return target;
}

bool read_csv(const std::string& path, std::vector<CsvTarget>& targets, Error& error, bool compact) {
    DataFile file;
    if (!file.open_text(path, error)) return false;
    CsvReader reader(file.bytes(), path);
    return CsvColumns(reader, targets, compact, error).read();
}

constinit const FileReader csv_reader{
    .name = "csv",
    .suffix = ".csv",
    .takes_columns = true,
    .facts = csv_facts,
    .read = read_csv_columns,
};

} // namespace gradc::runtime
