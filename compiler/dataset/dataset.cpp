// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Fields are elaborated in one graph of a single row. Readers are inputs without N; train.x is an input, or its
// formula, with N.
#include "compiler/dataset/dataset.h"
#include "compiler/dataset/columns.h"
#include "compiler/dataset/parts.h"
#include "compiler/dataset/reader.h"
#include "compiler/elaborate/indices/definition.h"
#include "compiler/elaborate/library/wrong_names.h"
#include "compiler/elaborate/types.h"
#include <algorithm>
#include <cmath>
#include <fmt/format.h>

namespace gradc {

namespace {

ElaborationMode row_mode() {
    ElaborationMode mode;
    mode.training = false;
    mode.initial = true; // the same numbers in every epoch
    mode.custom_gradients = false;
    return mode;
}

class DatasetElaboration : public Extension {
public:
    DatasetElaboration(Definitions& definitions, const ast::Dataset& dataset, uint32_t module)
        : definitions_(definitions), tree_(dataset), row_(definitions.primitives),
          elaborator_(definitions, row_, row_mode()),
          frame_(block_frame(elaborator_.definitions, dataset.name, module, this)), readers_(elaborator_, scope_) {
        scope_.frame = &frame_;
    }

    std::optional<DatasetPlan> run();

    std::optional<Term> call(Elaborator&, const ast::Call& call, Span span, Scope& scope) override;
    std::optional<Term> member(Elaborator&, const ast::Member& member, Span span, Scope& scope) override;

private:
    void field(const ast::Field& field, Span span);
    bool may_define(const ast::FieldName& name);
    const ast::Call* reader_call(const ast::Field& field) const;
    void define(const ast::Target& target, const Term& value, Span span);
    Term read_field(const ReaderCall& call, const ast::FieldName& name);
    void read_parts(const ast::Field& field, Span span);
    Term formula(const ast::Field& field, Span span);
    std::optional<Term> read(const ReaderCall& call, const std::string& name, const ast::TypeExpr* type, bool direct);
    std::optional<Shape> stored_shape(const ReaderCall& call, const ast::TypeExpr* type, const std::string& name);
    std::optional<Shape> written_shape(const ReaderCall& call, const ast::TypeExpr& type, const std::string& name);
    std::optional<int64_t> written_upper(const ReaderCall& call, const ast::TypeExpr& type, const std::string& name);
    Dtype stored_dtype(const ReaderCall& call, const ast::TypeExpr* type, bool direct) const;
    bool literal_fits(const gradc::Field& field, const ast::TypeExpr* type);
    bool unknown(const ast::Expr& expression) const;
    void solve(const ast::Expr& name, int64_t value);
    void split(const ast::Split& split, Span span);
    void check_rows();
    void check_files();
    Diagnostic& error(Code code, Span span, std::string message, std::string caret = {}, std::string repair = {}) {
        return elaborator_.error(code, span, std::move(message), std::move(caret), std::move(repair));
    }

    Definitions& definitions_;
    const ast::Dataset& tree_;
    Graph row_;
    Elaborator elaborator_;
    Frame frame_;
    Scope scope_;
    ReaderElaboration readers_;
    DatasetPlan plan_{{}, {}, Graph(definitions_.primitives), {}, {{}, Graph(definitions_.primitives)}};
    std::vector<RowField> named_;
    const ast::Field* current_ = nullptr;
    bool has_split_ = false;
    size_t errors_ = 0; // before this block
};

// ---- fields ------------------------------------------------------------------------------------

bool DatasetElaboration::unknown(const ast::Expr& expression) const {
    auto name = std::get_if<ast::Name>(&expression.node);
    if (!name || name->name == "N" || name->name == "inf" || name->name == "pi") return false;
    return !scope_.find(name->name) && !definitions_.find_constant(name->name, frame_.module);
}

void DatasetElaboration::solve(const ast::Expr& name, int64_t value) {
    const std::string& text = std::get<ast::Name>(name.node).name;
    scope_.names[text] = Binding{integer_number(value), name.span, "", true};
    plan_.sizes.push_back({text, integer_number(value)});
}

Dtype DatasetElaboration::stored_dtype(const ReaderCall& call, const ast::TypeExpr* type, bool direct) const {
    int32_t own = call.format ? call.format->stored : call.reader.is_row_number() ? int32_t(GRADC_I32) : -1;
    Dtype floating_point = definitions_.options.precision == Dtype::f64 ? Dtype::f64 : Dtype::f32;
    if (own >= 0 && !(direct && type && type->dtype)) return Dtype(own);
    if (!type) return call.reader.is_literal() && call.upper ? Dtype::i32 : floating_point;
    if (!type->dtype) return type->upper ? Dtype::i32 : floating_point;
    Dtype dtype = language_dtype(elaborator_, *type->dtype);
    if (dtype == Dtype::boolean || (dtype == Dtype::u8 && !direct)) return Dtype::i32;
    return dtype;
}

/// The written sizes; undefined names are solved from the reader or its file.
std::optional<Shape> DatasetElaboration::written_shape(const ReaderCall& call, const ast::TypeExpr& type,
                                                       const std::string& name) {
    std::optional<Shape> found = call.shape;
    bool open = type.shape && std::any_of(type.shape->begin(), type.shape->end(), [&](auto& e) { return unknown(*e); });
    if (open && !found) {
        found = readers_.shape_in_file(call.reader);
        if (!found) return {};
    }
    if (open && found->size() != type.shape->size()) {
        error(Code::field_type, type.span,
              fmt::format("`{}` has {} axes, but a row of its reader is {}", name, type.shape->size(), print(*found)));
        return {};
    }
    for (size_t i = 0; open && i < type.shape->size(); ++i)
        if (unknown(*(*type.shape)[i])) solve(*(*type.shape)[i], (*found)[i]);
    ast::TypeExpr plain = type;
    plain.upper = nullptr;
    auto full = full_type(elaborator_, plain, scope_);
    if (!full) return {};
    if (full->type.has_rows()) {
        error(Code::field_type, type.span, fmt::format("the type of `{}` is that of one row, without N", name));
        return {};
    }
    bool reshapes = call.format && call.format->takes_columns && found && !found->empty();
    bool fits = !found || *found == full->type.shape ||
                (reshapes && count(*found, 1) == count(full->type.shape, 1) && !full->type.shape.empty());
    if (fits) return full->type.shape;
    error(Code::field_type, type.span,
          fmt::format("`{}` is {} a row, but its reader gives {}", name, print(full->type.shape), print(*found)), "",
          fmt::format("write `{}: {}{}`", name, type.dtype.value_or("f32"), found->empty() ? "" : print(*found)));
    return {};
}

std::optional<Shape> DatasetElaboration::stored_shape(const ReaderCall& call, const ast::TypeExpr* type,
                                                      const std::string& name) {
    if (type) return written_shape(call, *type, name);
    return call.shape ? call.shape : readers_.shape_in_file(call.reader);
}

std::optional<int64_t> DatasetElaboration::written_upper(const ReaderCall& call, const ast::TypeExpr& type,
                                                         const std::string& name) {
    if (unknown(*type.upper)) {
        auto upper = call.upper ? call.upper : readers_.upper_in_file(call.reader);
        if (upper) solve(*type.upper, *upper);
        return upper;
    }
    auto upper = constant_integer(elaborator_, elaborator_.evaluate(*type.upper, scope_), type.upper->span,
                                  "the bound of integers");
    if (!upper) return {};
    if (*upper >= 1 && *upper <= INT32_MAX && (!call.upper || *call.upper <= *upper)) return upper;
    bool letters = !call.reader.alphabet.empty();
    error(Code::field_type, type.upper->span,
          *upper < 1 ? "the bound of integers must be at least 1"
                     : fmt::format("`{}` is below {}, but its reader gives {} different {}", name, *upper,
                                   call.upper.value_or(0), letters ? "characters" : "numbers"));
    return {};
}

std::optional<Term> DatasetElaboration::read(const ReaderCall& call, const std::string& name, const ast::TypeExpr* type,
                                             bool direct) {
    std::optional<Shape> shape;
    if (direct || (!call.shape && type && type->shape)) shape = stored_shape(call, type, name);
    else shape = call.shape ? call.shape : readers_.shape_in_file(call.reader);
    if (!shape) return {};
    Dtype dtype = stored_dtype(call, type, direct);
    gradc::Field stored{name, dtype, *shape, 0, -1, call.reader, call.reader.span};
    if (integer(dtype)) {
        std::optional<int64_t> upper = dtype == Dtype::u8 ? std::optional<int64_t>(256) : call.upper;
        if (direct && type && type->upper) {
            upper = written_upper(call, *type, name);
            if (!upper) return {};
        }
        if (type && type->dtype == "bool") upper = 2;
        if (upper) stored.high = *upper - 1;
    }
    if (!literal_fits(stored, type)) return {};
    Reader& reader = stored.reader;
    if (call.format && call.format->takes_columns && reader.columns.empty() && reader.column_names.empty())
        for (int64_t i = 0; i < count(*shape, 1); ++i) reader.columns.push_back(i);
    Input input{Input::Source::field, name, stored.low, stored.high};
    NodeId node = row_.add(Op::input, {dtype, *shape}, {}, input, call.reader.span);
    row_.name_node(node, name);
    plan_.spec.fields.push_back(std::move(stored));
    return elaborator_.term(node);
}

/// The numbers of a literal column must fit its type.
bool DatasetElaboration::literal_fits(const gradc::Field& field, const ast::TypeExpr* type) {
    if (type && type->upper && !integer(field.stored)) {
        error(Code::field_type, type->upper->span, "only integers have a bound", "",
              fmt::format("{}: int < ..", field.name));
        return false;
    }
    if (!field.reader.is_literal() || !integer(field.stored)) return true;
    bool bounded = field.high >= field.low;
    double low = bounded ? double(field.low) : double(INT32_MIN);
    double high = bounded ? double(field.high) : double(INT32_MAX);
    for (double value : field.reader.values) {
        if (value == std::floor(value) && value >= low && value <= high) continue;
        error(Code::literal_column, field.span,
              value == std::floor(value) ? fmt::format("{} is not in {}..{}", value, low, high + 1)
                                         : fmt::format("{} is not an integer", value));
        return false;
    }
    return true;
}

std::optional<Term> DatasetElaboration::call(Elaborator&, const ast::Call& call, Span span, Scope&) {
    if (!names_reader(call.callee)) return {};
    if (definitions_.find_function(call.callee, frame_.module)) return {}; // the user's own
    if (auto format = runtime::find_reader(call.callee); format && format->takes_parts) {
        error(Code::reader_misuse, span, fmt::format("`{}` is the whole value of its fields", call.callee), "",
              fmt::format("read a field by `{}`, and compute with it in the next line", call.callee));
        return Term{};
    }
    auto reader = readers_.read(call, span);
    if (!reader || !current_) return Term{};
    std::string name = current_->target.name + "." + call.callee;
    int number = 1;
    for (const auto& each : plan_.spec.fields) number += each.name.starts_with(name);
    if (number > 1) name += fmt::format("_{}", number);
    auto term = read(*reader, name, current_->type ? &*current_->type : nullptr, false);
    return term ? *term : Term{};
}

std::optional<Term> DatasetElaboration::member(Elaborator&, const ast::Member& member, Span span, Scope&) {
    auto object = std::get_if<ast::Name>(&member.object->node);
    if (!object || scope_.find(object->name)) return {};
    if (object->name != "train") {
        error(Code::statistic_misuse, span,
              fmt::format("only values of the training split can be used, not of `{}`", object->name), "",
              fmt::format("train.{}", member.name));
        return Term{};
    }
    for (const RowField& each : named_) {
        if (each.name != member.name) continue;
        return elaborator_.term(train_column(row_, each.node));
    }
    std::vector<std::string> known;
    for (const RowField& each : named_) known.push_back(each.name);
    error(Code::unknown_name, member.name_span,
          fmt::format("the data set has no field `{}` before this line", member.name), "",
          repair_among(member.name, known, "fields"));
    return Term{};
}

/// A field computed from other fields, ranges and random numbers.
Term DatasetElaboration::formula(const ast::Field& field, Span span) {
    if (!field.indices.empty()) {
        size_t errors = definitions_.diagnostics->count();
        ast::IndexDefinition definition{field.target, field.indices, field.value};
        Term value = elaborate_definition(elaborator_, definition, span, scope_);
        Diagnostic* error = definitions_.diagnostics->last();
        if (error && definitions_.diagnostics->count() > errors)
            error->remarks.push_back({field.target.span, "a field is the value of one row: the rows have no index"});
        return value;
    }
    const ast::TypeExpr* type = field.type ? &*field.type : nullptr;
    Dtype own = elaborator_.floating_default; // random numbers and literals are of the field's type
    if (type && type->dtype && floating(language_dtype(elaborator_, *type->dtype)))
        own = language_dtype(elaborator_, *type->dtype);
    FloatingDefault in_own(elaborator_, own);
    Term value = elaborator_.evaluate(*field.value, scope_);
    if (!type || value.poisoned()) return value;
    return convert(elaborator_, value, *type, scope_, fmt::format("`{}`", field.target.name), field.value->span);
}

/// Whether a field can have that name and type.
bool DatasetElaboration::may_define(const ast::FieldName& field) {
    const std::string& name = field.target.name;
    if (auto known = scope_.find(name)) {
        error(Code::duplicate_definition, field.target.span, fmt::format("`{}` already has a value here", name))
            .remarks.push_back({known->span, "first given here"});
        return false;
    }
    if (name == "N" || name == "training") {
        error(Code::fixed_name, field.target.span, fmt::format("`{}` cannot be given a value", name));
        return false;
    }
    if (field.type && field.type->constant) {
        error(Code::field_type, field.type->span, "a field has a value for each row and cannot be const");
        return false;
    }
    if (!field.type || !field.type->dtype || has_arithmetic(elaborator_, *field.type->dtype, field.type->span))
        return true;
    scope_.bind(name, {}, field.target.span);
    return false;
}

/// The call of a reader that is the whole value of the field, else null.
const ast::Call* DatasetElaboration::reader_call(const ast::Field& field) const {
    auto call = std::get_if<ast::Call>(&field.value->node);
    bool reads = field.indices.empty() && call && !call->indexed && names_reader(call->callee) &&
                 !definitions_.find_function(call->callee, frame_.module);
    return reads ? call : nullptr;
}

/// A field that is read as it is; of type bool it is a comparison with the stored integer.
Term DatasetElaboration::read_field(const ReaderCall& call, const ast::FieldName& field) {
    const ast::TypeExpr* type = field.type ? &*field.type : nullptr;
    bool converted = type && type->dtype == "bool";
    auto term = read(call, converted ? field.target.name + ".stored" : field.target.name, type, true);
    if (!term || !converted || term->poisoned()) return term.value_or(Term{});
    return elaborator_.term(
        build::cast(row_, std::get<NodeTerm>(term->data).node, language_dtype(elaborator_, *type->dtype)));
}

void DatasetElaboration::define(const ast::Target& target, const Term& value, Span span) {
    NodeId node = value.poisoned() ? NodeId::none : to_node(elaborator_, value, span);
    scope_.bind(target.name, node == NodeId::none ? Term{} : elaborator_.term(node), target.span);
    if (node == NodeId::none) return;
    row_.name_node(node, target.name);
    named_.push_back({target.name, node, span});
}

void DatasetElaboration::field(const ast::Field& field, Span span) {
    auto call = reader_call(field);
    auto format = call ? runtime::find_reader(call->callee) : nullptr;
    if (!field.others.empty() || (format && format->takes_parts)) return read_parts(field, span);
    ast::FieldName name{field.target, field.type};
    if (!may_define(name)) return;
    current_ = &field;
    Term value;
    if (call || (field.indices.empty() && std::holds_alternative<ast::List>(field.value->node))) {
        auto direct = call ? readers_.read(*call, field.value->span) : readers_.literal(*field.value);
        if (direct) value = read_field(*direct, name);
    } else value = formula(field, span);
    current_ = nullptr;
    define(field.target, value, span);
}

// ---- fields of one reader ----------------------------------------------------------------------

/// label: u8 < 10, image: u8[3, 32, 32] = raw("f.bin"): each row of the file has a part for each field.
void DatasetElaboration::read_parts(const ast::Field& field, Span span) {
    std::vector<ast::FieldName> names{{field.target, field.type}};
    names.insert(names.end(), field.others.begin(), field.others.end());
    for (size_t i = 0; i < names.size(); ++i) {
        if (!may_define(names[i])) return;
        for (size_t k = 0; k < i; ++k)
            if (names[k].target.name == names[i].target.name)
                return void(error(Code::duplicate_definition, names[i].target.span,
                                  fmt::format("`{}` is named twice", names[i].target.name)));
    }
    auto call = reader_call(field);
    auto format = call ? runtime::find_reader(call->callee) : nullptr;
    std::vector<ReaderCall> parts;
    if (!format || !format->takes_parts)
        error(Code::reader_misuse, field.value->span, "several fields are read by `raw` or `lines` only", "",
              "label: u8 < 10, image: u8[28, 28] = raw(\"images.bin\")");
    else if (auto all = readers_.read(*call, field.value->span)) parts.assign(names.size(), *all);
    bool fine = !parts.empty() && lay_out_parts(elaborator_, scope_, names, parts);
    for (size_t i = 0; i < names.size(); ++i)
        define(names[i].target, fine ? read_field(parts[i], names[i]) : Term{}, span);
}

// ---- splits ------------------------------------------------------------------------------------

void DatasetElaboration::split(const ast::Split& split, Span span) {
    auto bad = [&](Span where, std::string message) { error(Code::bad_split, where, std::move(message)); };
    if (has_split_) return bad(span, "the rows are split twice");
    has_split_ = true;
    plan_.spec.in_order = split.in_order;
    double total = 0;
    for (const ast::SplitPart& part : split.parts) {
        auto share = constant_number(elaborator_, elaborator_.evaluate(*part.fraction, scope_), part.fraction->span,
                                     "the fraction of a split");
        if (!share) return;
        if (!(*share > 0 && *share <= 1))
            return bad(part.fraction->span, "the fraction of a split must be between 0 and 1");
        for (const SplitRange& other : plan_.spec.splits)
            if (other.name == part.name) return bad(part.span, fmt::format("split `{}` is named twice", part.name));
        plan_.spec.splits.push_back({part.name, *share});
        total += *share;
    }
    if (total > 1 + 1e-9) bad(span, fmt::format("the fractions add up to {}, which is more than all rows", total));
    bool trains =
        std::any_of(plan_.spec.splits.begin(), plan_.spec.splits.end(), [](auto& s) { return s.name == "train"; });
    if (!trains) bad(span, "no split is called `train`");
}

/// Literal columns and ranges define the number of rows, and must agree.
void DatasetElaboration::check_rows() {
    const gradc::Field* first = nullptr;
    bool reads = false;
    for (const gradc::Field& field : plan_.spec.fields) {
        reads = true;
        const Reader& reader = field.reader;
        if (reader.rows && reader.window > reader.rows)
            error(Code::reader_misuse, field.span,
                  fmt::format("a window of {} does not fit into {} rows", reader.window, reader.rows));
        if (!field.reader.rows || field.reader.window) continue;
        if (first && first->reader.rows != field.reader.rows)
            error(Code::literal_column, field.span,
                  fmt::format("`{}` has {} rows, but `{}` has {}", field.name, field.reader.rows, first->name,
                              first->reader.rows));
        first = first ? first : &field;
    }
    if (!reads && definitions_.diagnostics->count() == errors_)
        error(Code::reader_misuse, tree_.name_span, fmt::format("the number of rows of `{}` is not known", tree_.name),
              "", "read a file, write a list, or generate rows by their number: i = range(1000)");
}

/// Either all files hold all rows, or each reader names a file for each split.
void DatasetElaboration::check_files() {
    std::vector<std::string> names;
    Span first;
    for (const gradc::Field& field : plan_.spec.fields) {
        if (field.reader.files.empty()) continue;
        std::vector<std::string> own;
        for (const Reader::File& file : field.reader.files) own.push_back(file.split);
        if (first.known() && own != names) {
            error(Code::bad_split, field.span,
                  fmt::format("`{}` does not name the same splits as the fields before it", field.name))
                .remarks.push_back({first, "as named here"});
            return;
        }
        names = own, first = field.span;
    }
    if (names.empty() || names[0].empty()) return;
    plan_.spec.split_by_file = true;
    if (has_split_) error(Code::bad_split, first, "the files already define the splits; remove the `split` line");
    if (std::find(names.begin(), names.end(), "train") == names.end())
        error(Code::bad_split, first, "no split is called `train`");
    if (has_split_) return;
    for (const std::string& name : names) {
        auto known = [&](const SplitRange& split) { return split.name == name; };
        bool again = std::any_of(plan_.spec.splits.begin(), plan_.spec.splits.end(), known);
        if (!again) plan_.spec.splits.push_back({name, 1});
    }
}

std::optional<DatasetPlan> DatasetElaboration::run() {
    errors_ = definitions_.diagnostics->count();
    plan_.spec.name = tree_.name;
    plan_.spec.span = tree_.name_span;
    for (const ast::DatasetItem& item : tree_.items) {
        if (auto* one = std::get_if<ast::Field>(&item.node)) field(*one, item.span);
        if (auto* line = std::get_if<ast::Split>(&item.node)) split(*line, item.span);
    }
    check_rows();
    check_files();
    if (definitions_.diagnostics->count() > errors_) return {};
    take_columns(definitions_, row_, named_, plan_);
    if (definitions_.diagnostics->count() > errors_) return {};
    return std::move(plan_);
}

} // namespace

std::optional<DatasetPlan> elaborate_dataset(Definitions& definitions, const ast::Dataset& dataset, uint32_t module) {
    return DatasetElaboration(definitions, dataset, module).run();
}

std::optional<int64_t> count_rows(Definitions& definitions, const DatasetSpec& spec, Span asked) {
    Graph scratch(definitions.primitives);
    Elaborator elaborator(definitions, scratch, row_mode());
    Scope scope;
    ReaderElaboration readers(elaborator, scope);
    for (const Field& field : spec.fields) {
        Reader reader = field.reader;
        reader.span = asked;
        return readers.rows(reader);
    }
    return 0;
}

} // namespace gradc
