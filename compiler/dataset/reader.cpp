// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// One call of a reader, argument by argument, and the facts of its files.
#include "compiler/dataset/reader.h"
#include "compiler/elaborate/values.h"
#include "runtime/base/files.h"
#include "runtime/base/hash.h"
#include "runtime/base/text.h"
#include <algorithm>
#include <cmath>
#include <fmt/format.h>
#include <fmt/ranges.h>
#include <map>
#include <set>

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

} // namespace

bool names_reader(const std::string& callee) {
    return callee == "windows" || callee == "range" || runtime::find_reader(callee);
}

Diagnostic& ReaderElaboration::misuse(Span span, std::string message, std::string repair) {
    return elaborator_.error(Code::reader_misuse, span, std::move(message), {}, std::move(repair));
}

// ---- calls -------------------------------------------------------------------------------------

std::optional<ReaderCall> ReaderElaboration::read(const ast::Call& call, Span span) {
    if (call.callee == "windows") return windows(call, span);
    if (call.callee == "range") return range(call, span);
    ReaderCall result;
    result.format = runtime::find_reader(call.callee);
    result.reader.name = call.callee;
    result.reader.span = span;
    if (!take_files(call, result)) return {};
    if (auto columns = argument(call, "columns"); result.format->takes_columns && columns)
        if (!take_columns(*columns->value, result)) return {};
    if (result.format->one_number) result.shape = Shape{};
    if (result.format->is_text && !take_text(call, result)) return {};
    return result;
}

/// The alphabet is that of the first split's files; with `other: true` all other characters have code 0.
bool ReaderElaboration::take_text(const ast::Call& call, ReaderCall& result) {
    if (auto other = argument(call, "other")) {
        auto value = constant_integer(elaborator_, elaborator_.evaluate(*other->value, scope_), other->value->span,
                                      "`other`, true or false,");
        if (!value) return false;
        result.reader.other = *value != 0;
    }
    std::set<std::string> characters;
    for (const Reader::File& file : result.reader.files) {
        if (file.split != result.reader.files[0].split) continue;
        auto known = facts(result.reader, file.path);
        if (!known) return false;
        auto own = runtime::Dictionary::of_characters(known->alphabet, false);
        characters.insert(own.strings().begin(), own.strings().end());
    }
    for (const std::string& character : characters) result.reader.alphabet += character;
    result.upper = int64_t(characters.size()) + (result.reader.other ? 1 : 0);
    return true;
}

/// With --confine a model may name only files in its folders, whether they are read when compiling or by the trainer.
bool ReaderElaboration::allowed(const std::string& path, Span span) {
    const Options& options = elaborator_.definitions.options;
    if (!options.confined) return true;
    std::vector<std::string> places;
    auto found = find(path, places);
    std::string reason = runtime::Places::confined_to(options.data_folders).refusal(found ? *found : places.back());
    if (reason.empty()) return true;
    elaborator_.error(Code::unreadable_file, span, fmt::format("cannot read `{}`: {}", path, reason));
    return false;
}

/// One file, or a list of files that follow one another.
bool ReaderElaboration::take_file(const ast::Call& call, const ast::Argument& given, ReaderCall& result) {
    auto list = std::get_if<ast::List>(&given.value->node);
    for (const ast::ExprRef& each : list ? list->items : std::vector<ast::ExprRef>{given.value}) {
        auto path = text(each);
        if (!path) {
            const char* columns = result.format->takes_columns ? ", columns: 0..4" : "";
            misuse(each->span, fmt::format("`{}` takes the name of a file", call.callee),
                   fmt::format("{}(\"file\"{})", call.callee, columns));
            return false;
        }
        if (!allowed(*path, each->span)) return false;
        result.reader.files.push_back({given.name.value_or(""), *path});
    }
    return true;
}

bool ReaderElaboration::take_files(const ast::Call& call, ReaderCall& result) {
    std::set<std::string> splits;
    for (const ast::Argument& each : call.arguments) {
        if (result.format->takes_columns && each.name == "columns") continue;
        if (result.format->is_text && each.name == "other") continue;
        if (each.name && splits.count(*each.name)) {
            misuse(each.span, fmt::format("the file of `{}` is named twice", *each.name));
            return false;
        }
        if (!each.name && !splits.empty()) break;
        splits.insert(each.name.value_or(""));
        if (!take_file(call, each, result)) return false;
    }
    bool mixed = splits.size() > 1 && splits.count("");
    size_t unnamed =
        size_t(std::count_if(call.arguments.begin(), call.arguments.end(), [](auto& a) { return !a.name; }));
    if (!result.reader.files.empty() && !mixed && unnamed <= 1) return true;
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
                   fmt::format("{}..{} selects no columns: the first is included, the last is not", *first, *last));
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
    misuse(columns.span, "columns must be all named or all numbered");
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
    auto format = inner ? runtime::find_reader(inner->callee) : nullptr;
    bool reads = inner && names_reader(inner->callee) && inner->callee != "windows" && !(format && format->takes_parts);
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
    elaborator_.error(Code::literal_column, span, "a column is a list of numbers, or of lists of equal length",
                      describe(elaborator_, term) + " does not fit the rows before it");
    return false;
}

std::optional<ReaderCall> ReaderElaboration::literal(const ast::Expr& list) {
    Term term = elaborator_.evaluate(list, scope_);
    ReaderCall result;
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

std::optional<std::string> ReaderElaboration::find(const std::string& path, std::vector<std::string>& places) const {
    bool absolute = !path.empty() && path[0] == '/';
    std::vector<std::string> folders = elaborator_.definitions.options.data_folders;
    if (absolute) folders = {""};
    for (const std::string& folder : folders) {
        std::string place = runtime::joined(folder == "." ? "" : folder, path);
        if (std::find(places.begin(), places.end(), place) != places.end()) continue;
        places.push_back(place);
        if (runtime::exists(place)) return place;
    }
    return {};
}

std::optional<runtime::FileFacts> ReaderElaboration::facts(const Reader& reader, const std::string& path) {
    std::vector<std::string> places;
    std::optional<std::string> place;
    if (elaborator_.definitions.options.reads_data) place = find(path, places);
    if (!place) {
        elaborator_.error(Code::missing_data, reader.span,
                          fmt::format("cannot find `{}`, from which a size is read when compiling", path),
                          fmt::format("searched: {}", fmt::join(places, ", ")),
                          "name its folder with --data-dir, or write the size as a number");
        return {};
    }
    runtime::DataFile file;
    runtime::FileFacts facts;
    runtime::Error error;
    runtime::Selection selection{reader.columns,  reader.column_names,     reader.record,          reader.offset,
                                 reader.elements, int32_t(reader.in_file), int32_t(reader.strings)};
    if (!runtime::find_reader(reader.name)->facts(*place, selection, file, facts, error)) {
        std::string message = error.message; // "file:row:column: error: ..": a diagnostic begins with the word
        size_t word = message.find(": error: ");
        if (word != std::string::npos) message.replace(word, 9, ": ");
        elaborator_.error(Code::unfit_data, reader.span, message);
        return {};
    }
    elaborator_.definitions.data_read.push_back(runtime::hexadecimal(runtime::Hash::of(file.bytes())));
    return facts;
}

std::optional<Shape> ReaderElaboration::shape_in_file(const Reader& reader) {
    if (reader.files.empty()) return Shape{};
    auto known = facts(reader, reader.files[0].path);
    return known ? std::optional(Shape(known->shape.begin() + 1, known->shape.end())) : std::nullopt;
}

std::optional<int64_t> ReaderElaboration::upper_in_file(const Reader& reader) {
    double largest = -INFINITY;
    for (const Reader::File& file : reader.files) {
        auto known = facts(reader, file.path);
        if (!known) return {};
        largest = std::max(largest, known->largest);
    }
    if (largest >= 0 && largest < INT32_MAX) return int64_t(largest) + 1;
    elaborator_.error(Code::unfit_data, reader.span, "the column has no integers from 0 on to read a bound from");
    return {};
}

std::optional<int64_t> ReaderElaboration::rows(const Reader& reader) {
    int64_t most = reader.rows;
    std::map<std::string, int64_t> entries; // of each split
    for (const Reader::File& file : reader.files) {
        auto known = facts(reader, file.path);
        if (!known) return {};
        most = std::max(most, entries[file.split] += known->shape[0]);
    }
    if (reader.window == 0) return most;
    return most < reader.window ? 0 : (most - reader.window) / reader.stride + 1;
}

} // namespace gradc
