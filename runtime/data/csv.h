// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// CSV as RFC 4180 has it: cells between commas, quoted ones with commas, doubled quotes and line
// ends inside; LF or CRLF; a byte order mark and blank lines are passed over. The first record is a
// header if columns are asked for by name, or if one of the wanted cells is no number.
#pragma once
#include "runtime/data/characters.h"

namespace gradc::runtime {

/// A column to fill, one entry a record, and which cells make an entry.
struct CsvTarget {
    Column* column;
    Selection cells;
    const Alphabet* alphabet = nullptr; // its one cell is text: a row of characters
};

CsvTarget csv_target(Column& column);
/// Appends every record of `path` to the columns. `compact`: numbered columns are those that are
/// left where all others were taken away, if the file has exactly so many.
bool read_csv(const std::string& path, std::vector<CsvTarget>& targets, Error& error, bool compact = false);

/// The records of a CSV text, one at a time.
class CsvReader {
public:
    struct Cell {
        std::string_view text; // without the quotes around it; doubled quotes still doubled
        bool quoted = false;
    };
    CsvReader(std::string_view text, std::string path);
    /// False at the end, or with a fault; all records have as many cells as the first.
    bool next(std::vector<Cell>& cells, Error& error);
    int64_t line() const { return record_line_; } // where the last record began, from 1
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

/// The cell's text without spaces around it (plain) or with quotes single (quoted).
std::string cell_text(const CsvReader::Cell& cell);
/// True, and the number, if that is what the cell holds.
bool cell_number(const CsvReader::Cell& cell, double& number);
/// Which column of the header is called so; -1 with a fault if none is, or several are.
int64_t find_column(const CsvReader& reader, const std::vector<std::string>& header, std::string_view name,
                    Error& error);
/// A fault about a column that the file lacks, seen at its first record; `name` is the field's.
bool lacks_column(const CsvReader& reader, std::string_view name, int64_t number,
                  const std::vector<CsvReader::Cell>& cells, Error& error);

} // namespace gradc::runtime
