// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// One call of a reader, argument by argument, to a Reader; see reader.h.
#include "compiler/dataset/reader.h"
#include "compiler/elaborate/values.h"
#include "compiler/util/content_hash.h"
#include "compiler/util/files.h"
#include <algorithm>
#include <cmath>
#include <fmt/format.h>
#include <fmt/ranges.h>

namespace gradc {

namespace {

const ast::Argument* argument(const ast::Call& call, const std::string& name) {
    for (const ast::Argument& each : call.arguments)
        if (each.name == name) return &each;
    return nullptr;
}

const std::string* text(const ast::ExprRef& expression) {
    auto* text = std::get_if<ast::Text>(&expression->node);
    return text ? &text->value : nullptr;
}

Reader::Kind kind_of(const std::string& callee) {
    if (callee == "csv") return Reader::Kind::csv;
    if (callee == "idx") return Reader::Kind::idx;
    if (callee == "npy") return Reader::Kind::npy;
    return Reader::Kind::characters;
}

} // namespace

const std::vector<std::string>& reader_names() {
    static const std::vector<std::string> names{"csv", "idx", "npy", "characters", "windows", "range"};
    return names;
}

bool names_reader(const std::string& callee) {
    const auto& names = reader_names();
    return std::find(names.begin(), names.end(), callee) != names.end();
}

Diagnostic& ReaderElaboration::misuse(Span span, std::string message, std::string repair) {
    return elaborator_.error(Code::reader_misuse, span, std::move(message), {}, std::move(repair));
}

// ---- calls -------------------------------------------------------------------------------------

std::optional<ReaderCall> ReaderElaboration::read(const ast::Call& call, Span span) {
    if (call.callee == "windows") return windows(call, span);
    if (call.callee == "range") return range(call, span);
    ReaderCall result;
    result.reader.kind = kind_of(call.callee);
    result.reader.span = span;
    bool csv = result.reader.kind == Reader::Kind::csv;
    std::vector<std::string> options;
    if (csv) options.push_back("columns");
    if (!take_files(call, result, options)) return {};
    if (auto columns = argument(call, "columns"); csv && columns)
        if (!take_columns(*columns->value, result)) return {};
    if (result.reader.kind == Reader::Kind::characters) {
        auto known = text_facts(result.reader, result.reader.files[0].path);
        if (!known) return {};
        result.reader.alphabet = known->alphabet;
        result.upper = known->letters;
        result.shape = Shape{};
    }
    return result;
}

/// A confined model names no file elsewhere, read when compiling or not: the trainer will seek it in the same folders.
bool ReaderElaboration::allowed(const std::string& path, Span span) {
    const Options& options = elaborator_.definitions.options;
    if (!options.confined) return true;
    std::vector<std::string> places;
    auto found = find_data_file(path, options.data_folders, places);
    std::string reason = outside(found ? *found : places.back(), options.data_folders);
    if (reason.empty()) return true;
    elaborator_.error(Code::unreadable_file, span, fmt::format("cannot read `{}`: {}", path, reason));
    return false;
}

bool ReaderElaboration::take_files(const ast::Call& call, ReaderCall& result, const std::vector<std::string>& options) {
    for (const ast::Argument& each : call.arguments) {
        bool is_option = each.name && std::find(options.begin(), options.end(), *each.name) != options.end();
        if (is_option) continue;
        auto path = text(each.value);
        if (!path) {
            std::string repair = fmt::format("{}(\"file\"{})", call.callee, options.empty() ? "" : ", columns: 0..4");
            misuse(each.value->span, fmt::format("`{}` takes the name of a file", call.callee), repair);
            return false;
        }
        for (const Reader::File& known : result.reader.files)
            if (each.name && known.split == *each.name) {
                misuse(each.span, fmt::format("the file of `{}` is named twice", *each.name));
                return false;
            }
        if (!allowed(*path, each.value->span)) return false;
        result.reader.files.push_back({each.name.value_or(""), *path});
    }
    auto& files = result.reader.files;
    bool one = files.size() == 1 && files[0].split.empty();
    bool by_split = !files.empty() && std::all_of(files.begin(), files.end(), [](auto& f) { return !f.split.empty(); });
    if (one || by_split) return true;
    misuse(call.callee_span, fmt::format("`{}` reads one file, or one for each split", call.callee),
           fmt::format("{}(\"file\") or {}(train: \"file\", test: \"file\")", call.callee, call.callee));
    return false;
}

bool ReaderElaboration::take_columns(const ast::Expr& columns, ReaderCall& result) {
    auto number = [&](const ast::ExprRef& e) {
        auto value = constant_integer(elaborator_, elaborator_.evaluate(*e, scope_), e->span, "the number of a column");
        if (value && *value < 0) {
            misuse(e->span, "columns are numbered from 0");
            value.reset();
        }
        return value;
    };
    auto one = [&](const ast::ExprRef& e) {
        if (auto name = text(e)) {
            result.reader.column_names.push_back(*name);
            return true;
        }
        auto value = number(e);
        if (value) result.reader.columns.push_back(*value);
        return value.has_value();
    };
    if (auto range = std::get_if<ast::Range>(&columns.node)) {
        auto first = number(range->first), last = number(range->last);
        if (!first || !last) return false;
        if (*first >= *last || *last - *first > 1'000'000) {
            misuse(columns.span,
                   fmt::format("{}..{} are no columns: the first is included, the last is not", *first, *last));
            return false;
        }
        for (int64_t i = *first; i < *last; ++i) result.reader.columns.push_back(i);
        result.shape = Shape{*last - *first};
    } else if (auto list = std::get_if<ast::List>(&columns.node)) {
        for (const ast::ExprRef& item : list->items)
            if (!one(item)) return false;
        result.shape = Shape{int64_t(list->items.size())};
    } else {
        if (!one(std::make_shared<ast::Expr>(columns))) return false;
        result.shape = Shape{};
    }
    if (result.reader.columns.empty() || result.reader.column_names.empty()) return true;
    misuse(columns.span, "columns are all named or all numbered");
    return false;
}

std::optional<int64_t> ReaderElaboration::option(const ast::Call& call, const std::string& name, int64_t least) {
    auto given = argument(call, name);
    if (!given) return least;
    auto value =
        constant_integer(elaborator_, elaborator_.evaluate(*given->value, scope_), given->value->span, name.c_str());
    if (!value || *value >= least) return value;
    misuse(given->value->span, fmt::format("{} is at least {}, not {}", name, least, *value));
    return {};
}

std::optional<ReaderCall> ReaderElaboration::windows(const ast::Call& call, Span span) {
    const ast::Call* inner = nullptr;
    for (const ast::Argument& each : call.arguments) {
        if (!each.name) inner = inner ? nullptr : std::get_if<ast::Call>(&each.value->node);
        if (!each.name || *each.name == "length" || *each.name == "stride") continue;
        misuse(each.span, fmt::format("`windows` has no `{}`", *each.name), "windows(reader, length: 65, stride: 1)");
        return {};
    }
    bool reads = inner && names_reader(inner->callee) && inner->callee != "windows";
    if (!reads || !argument(call, "length")) {
        misuse(span, "`windows` takes a reader and a length", "windows(characters(\"text.txt\"), length: 65)");
        return {};
    }
    auto length = option(call, "length", 1), stride = option(call, "stride", 1);
    auto result = read(*inner, span);
    if (!length || !stride || !result) return {};
    if (!result->shape) result->shape = shape_in_file(result->reader);
    if (!result->shape) return {};
    result->reader.window = *length;
    result->reader.stride = *stride;
    result->shape->insert(result->shape->begin(), *length);
    return result;
}

std::optional<ReaderCall> ReaderElaboration::range(const ast::Call& call, Span span) {
    if (call.arguments.size() != 1 || call.arguments[0].name) {
        misuse(span, "`range` takes the number of rows", "range(1000)");
        return {};
    }
    const ast::Expr& size = *call.arguments[0].value;
    auto n = constant_integer(elaborator_, elaborator_.evaluate(size, scope_), size.span, "the number of rows");
    if (!n) return {};
    if (*n < 1 || *n > INT32_MAX) {
        misuse(size.span, fmt::format("a data set has 1 to {} rows, not {}", INT32_MAX, *n));
        return {};
    }
    ReaderCall result;
    result.reader.kind = Reader::Kind::range;
    result.reader.rows = *n;
    result.reader.span = span;
    result.shape = Shape{};
    result.upper = *n;
    return result;
}

// ---- literals ----------------------------------------------------------------------------------

bool ReaderElaboration::flatten(const Term& term, Span span, size_t depth, Shape& shape, std::vector<double>& values) {
    if (term.poisoned()) return false;
    if (auto number = term.as<ConstantNumber>()) {
        if (depth == shape.size()) {
            values.push_back(number->value);
            return true;
        }
    } else if (auto list = term.as<ListTerm>(); list && !list->items.empty()) {
        bool first = values.empty();
        if (first && depth == shape.size()) shape.push_back(int64_t(list->items.size()));
        if (depth < shape.size() && shape[depth] == int64_t(list->items.size())) {
            for (const Term& item : list->items)
                if (!flatten(item, span, depth + 1, shape, values)) return false;
            return true;
        }
    }
    elaborator_.error(Code::literal_column, span, "a column is a list of numbers, or of lists that are equally long",
                      describe(elaborator_, term) + " does not fit the rows before it");
    return false;
}

std::optional<ReaderCall> ReaderElaboration::literal(const ast::Expr& list) {
    Term term = elaborator_.evaluate(list, scope_);
    ReaderCall result;
    result.reader.kind = Reader::Kind::literal;
    result.reader.span = list.span;
    Shape shape;
    if (!flatten(term, list.span, 0, shape, result.reader.values)) return {};
    result.reader.rows = shape[0];
    result.shape = Shape(shape.begin() + 1, shape.end());
    bool counts = std::all_of(result.reader.values.begin(), result.reader.values.end(),
                              [](double v) { return v >= 0 && v == std::floor(v) && v < INT32_MAX; });
    if (counts) result.upper = int64_t(*std::max_element(result.reader.values.begin(), result.reader.values.end())) + 1;
    return result;
}

// ---- files -------------------------------------------------------------------------------------

std::optional<std::string> ReaderElaboration::find(const Reader& reader, const std::string& path) {
    std::vector<std::string> places;
    const Options& options = elaborator_.definitions.options;
    auto found = options.reads_data ? find_data_file(path, options.data_folders, places) : std::optional<std::string>{};
    if (!found)
        elaborator_.error(Code::missing_data, reader.span,
                          fmt::format("no file `{}`, and a size here is read from it when compiling", path),
                          fmt::format("sought: {}", fmt::join(places, ", ")),
                          "name its folder with --data-dir, or write the size as a number");
    return found;
}

template <class Read> auto ReaderElaboration::facts(const Reader& reader, const std::string& path, const Read& read) {
    runtime::DataFile file;
    runtime::Error error;
    decltype(read(path, file, error)) result;
    auto place = find(reader, path);
    if (!place) return result;
    result = read(*place, file, error);
    if (error) { // "file:row:column: error: .."; the word stands in front of a diagnostic already
        std::string message = error.message;
        size_t word = message.find(": error: ");
        if (word != std::string::npos) message.replace(word, 9, ": ");
        elaborator_.error(Code::unfit_data, reader.span, message);
        return result;
    }
    ContentHash hash;
    hash.add(file.bytes());
    elaborator_.definitions.data_read.push_back(hash.text());
    return result;
}

std::optional<TableFacts> ReaderElaboration::table(const Reader& reader, const std::string& path) {
    return facts(reader, path, [&](const std::string& place, runtime::DataFile& file, runtime::Error& error) {
        return read_table(place, reader.columns, reader.column_names, file, error);
    });
}

std::optional<TextFacts> ReaderElaboration::text_facts(const Reader& reader, const std::string& path) {
    return facts(reader, path, read_characters);
}

std::optional<ArrayFacts> ReaderElaboration::array(const Reader& reader, const std::string& path) {
    return facts(reader, path, reader.kind == Reader::Kind::npy ? read_npy : read_idx);
}

std::optional<Shape> ReaderElaboration::shape_in_file(const Reader& reader) {
    if (reader.files.empty()) return Shape{};
    const std::string& path = reader.files[0].path;
    if (reader.kind == Reader::Kind::csv) {
        auto known = table(reader, path);
        return known ? std::optional(Shape{known->columns}) : std::nullopt;
    }
    auto known = array(reader, path);
    return known ? std::optional(Shape(known->shape.begin() + 1, known->shape.end())) : std::nullopt;
}

std::optional<int64_t> ReaderElaboration::upper_in_file(const Reader& reader) {
    double largest = -INFINITY;
    for (const Reader::File& file : reader.files) {
        std::optional<double> own;
        if (reader.kind == Reader::Kind::csv) {
            if (auto known = table(reader, file.path)) own = known->largest;
        } else if (auto known = array(reader, file.path)) {
            own = known->largest;
        }
        if (!own) return {};
        largest = std::max(largest, *own);
    }
    if (largest >= 0 && largest < INT32_MAX) return int64_t(largest) + 1;
    elaborator_.error(Code::unfit_data, reader.span,
                      "the column has no whole numbers from 0 on that a bound could be read from");
    return {};
}

std::optional<int64_t> ReaderElaboration::rows(const Reader& reader) {
    int64_t most = reader.rows;
    for (const Reader::File& file : reader.files) {
        std::optional<int64_t> count;
        if (reader.kind == Reader::Kind::csv) {
            if (auto known = table(reader, file.path)) count = known->rows;
        } else if (reader.kind == Reader::Kind::characters) {
            if (auto letters = text_facts(reader, file.path)) count = letters->length;
        } else if (auto known = array(reader, file.path)) {
            count = known->shape[0];
        }
        if (!count) return {};
        most = std::max(most, *count);
    }
    if (reader.window == 0) return most;
    return most < reader.window ? 0 : (most - reader.window) / reader.stride + 1;
}

} // namespace gradc
