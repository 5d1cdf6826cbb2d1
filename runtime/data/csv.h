// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// CSV as in RFC 4180: cells between commas; quoted cells may hold commas, doubled quotes and line ends; lines end with
// LF or CRLF. A byte order mark and blank lines are skipped. The first record is a header if columns are selected by
// name, or if a selected cell is not a number.
#pragma once
#include "runtime/data/reader.h"

namespace gradc::runtime {

/// A column to fill, one entry for each record, and the cells of an entry.
struct CsvTarget {
    Column* column;
    Selection cells;
    bool is_text = false; // its single cell is a row of characters
};

CsvTarget csv_target(Column& column);
/// Appends every record of `path` to the columns. With `compact`, a file that has exactly the selected columns may have
/// them under other numbers, in the same order.
bool read_csv(const std::string& path, std::vector<CsvTarget>& targets, Error& error, bool compact = false);

/// The records of a CSV text, one at a time.
class CsvReader {
public:
    struct Cell {
        std::string_view text; // without the quotes around it; doubled quotes are still doubled
        bool quoted = false;
    };
    CsvReader(std::string_view text, std::string path);
    /// False at the end, or with an error; all records have as many cells as the first.
    bool next(std::vector<Cell>& cells, Error& error);
    int64_t line() const { return record_line_; } // first line of the last record, from 1
    int64_t first_line() const { return first_line_; }
    size_t width() const { return width_; } // cells of a record
    const std::string& path() const { return path_; }

private:
    bool quoted_cell(Cell& cell, size_t column, Error& error);
    bool plain_cell(Cell& cell, size_t column, Error& error);
    bool check_width(size_t cells, Error& error);
    std::string_view text_;
    std::string path_;
    size_t at_ = 0;
    int64_t line_ = 1, record_line_ = 1, first_line_ = 1;
    size_t width_ = 0;
};

/// The text of the cell: without spaces around it (plain), or with single quotes for doubled ones (quoted).
std::string cell_text(const CsvReader::Cell& cell);
/// Whether the cell holds a number, and that number.
bool cell_number(const CsvReader::Cell& cell, double& number);
/// The number of the column with this name; -1 with an error if none or several have it.
int64_t find_column(const CsvReader& reader, const std::vector<std::string>& header, std::string_view name,
                    Error& error);
/// An error about a column that the file does not have, reported at its first record; `name` is the field's.
bool lacks_column(const CsvReader& reader, std::string_view name, int64_t number,
                  const std::vector<CsvReader::Cell>& cells, Error& error);

} // namespace gradc::runtime
