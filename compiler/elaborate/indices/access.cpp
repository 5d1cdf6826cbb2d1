// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// x[..]: slices, single elements, indices and lookups, each a view of its axis or a gather. Items are processed from
// left to right; a tag for each axis of the value records what it has become.
#include "compiler/elaborate/indices/contraction.h"
#include "compiler/elaborate/indices/indices.h"
#include "compiler/elaborate/values.h"
#include "compiler/graph/row_ranges.h"
#include <algorithm>
#include <fmt/format.h>
#include <numeric>

namespace gradc {

namespace {

constexpr int kept = -1;    // an axis of the result, by position
constexpr int waiting = -2; // an axis that no item has taken yet

class Access {
public:
    Access(Elaborator& elaborator, const ast::Expr& expression, const ast::Index& access, Scope& scope)
        : elaborator_(elaborator), graph_(elaborator.graph()), expression_(expression), access_(access), scope_(scope) {
    }

    Term run(const Term& object);

private:
    bool take(const ast::Expr& item);
    bool take_group(size_t wide);
    bool beside_rows(const Affine& at) const;
    bool take_slice(const ast::ExprRef& start, const ast::ExprRef& stop, const ast::ExprRef& step, Span span);
    bool take_rows(const ast::ExprRef& start, const ast::ExprRef& stop, const ast::ExprRef& step, Span span);
    bool take_affine(Affine at, Span span);
    void surround(int64_t low, int64_t high, Span span);
    bool take_lookup(const ast::Expr& item);
    bool pick_row(int64_t number, Span span);
    bool look_up_rows(NodeTerm at, Span span);
    NodeId row(bool last, Span span);
    bool look_up(NodeTerm at, Span span);
    bool fail(Code code, Span span, const std::string& message, const std::string& repair = "") {
        elaborator_.error(code, span, message, "", repair);
        return false;
    }
    size_t axis() const { return size_t(std::find(tags_.begin(), tags_.end(), waiting) - tags_.begin()); }
    int64_t size(size_t axis) const { return graph_.type(node_).shape[axis]; }
    void cut(size_t axis, int64_t start, int64_t step, int64_t size);
    void drop(size_t axis);
    void permute(const std::vector<int>& axes);
    std::string word(int64_t size) const { return size == rows ? "N" : std::to_string(size); }

    Elaborator& elaborator_;
    Graph& graph_;
    const ast::Expr& expression_;
    const ast::Index& access_;
    Scope& scope_;
    NodeId node_ = NodeId::none;
    std::vector<int> tags_; // per axis of node_: a label, kept or waiting
    bool looked_up_ = false;
};

void Access::cut(size_t axis, int64_t start, int64_t step, int64_t size) {
    Shape shape = graph_.type(node_).shape;
    std::vector<int64_t> starts(shape.size(), 0), steps(shape.size(), 1);
    shape[axis] = size, starts[axis] = start, steps[axis] = step;
    node_ = build::slice(graph_, node_, starts, steps, shape, expression_.span);
}

void Access::drop(size_t axis) {
    Shape shape = graph_.type(node_).shape;
    shape.erase(shape.begin() + int64_t(axis));
    node_ = reshaped(graph_, node_, shape, expression_.span);
    tags_.erase(tags_.begin() + int64_t(axis));
}

void Access::permute(const std::vector<int>& axes) {
    std::vector<int> tags;
    for (int axis : axes) tags.push_back(tags_[size_t(axis)]);
    node_ = permuted(graph_, node_, axes, expression_.span);
    tags_ = tags;
}

Term Access::run(const Term& object) {
    auto value = to_operand(elaborator_, object, access_.object->span);
    if (!value) return {};
    node_ = value->node;
    tags_ = value->labels;
    size_t rank = size_t(graph_.type(node_).rank()) - tags_.size();
    tags_.resize(size_t(graph_.type(node_).rank()), waiting);
    auto is_group = [](const auto& item) { return std::holds_alternative<ast::Ellipsis>(item->node); };
    size_t groups = size_t(std::count_if(access_.items.begin(), access_.items.end(), is_group));
    size_t own = access_.items.size() - groups;
    if (groups > 1) {
        fail(Code::index_misuse, expression_.span, "`..` can appear once between brackets");
        return {};
    }
    if (own > rank) {
        fail(Code::index_misuse, expression_.span,
             fmt::format("{} takes {} indices, not {}", named(elaborator_, {object, access_.object->span}), rank, own));
        return {};
    }
    for (const auto& item : access_.items)
        if (!(is_group(item) ? take_group(rank - own) : take(*item))) return {};
    std::replace(tags_.begin(), tags_.end(), waiting, kept);
    std::vector<int> order(tags_.size());
    std::iota(order.begin(), order.end(), 0);
    std::stable_sort(order.begin(), order.end(), [&](int a, int b) {
        auto place = [&](int i) { return tags_[size_t(i)] < 0 ? INT_MAX : tags_[size_t(i)]; };
        return place(a) < place(b);
    });
    permute(order);
    std::vector<int> labels(tags_.begin(), std::find(tags_.begin(), tags_.end(), kept));
    return elaborator_.term(node_, labels, value->weak);
}

bool Access::take_group(size_t wide) {
    auto group = scope_.find(index_group);
    const ListTerm* labels = group ? group->value.as<ListTerm>() : nullptr;
    if (labels && labels->items.size() != wide)
        return fail(
            Code::index_misuse, expression_.span,
            fmt::format("`..` is {} axes here, but {} elsewhere in this definition", wide, labels->items.size()));
    for (size_t i = 0; i < wide; ++i) {
        if (!labels) {
            tags_[axis()] = kept;
            continue;
        }
        int label = int(labels->items[i].as<ConstantNumber>()->value);
        if (!take_affine(Affine{{{label, 1}}, 0}, expression_.span)) return false;
    }
    return true;
}

bool Access::take(const ast::Expr& item) {
    if (auto slice = std::get_if<ast::Slice>(&item.node))
        return take_slice(slice->start, slice->stop, slice->step, item.span);
    if (auto range = std::get_if<ast::Range>(&item.node))
        return take_slice(range->first, range->last, nullptr, item.span);
    if (mentions_index(item, scope_)) {
        auto at = affine(elaborator_, item, scope_);
        if (at && at->factors.empty()) at = {};
        if (at &&
            std::none_of(
                at->factors.begin(), at->factors.end(),
                [&](auto& each) { return std::find(tags_.begin(), tags_.end(), each.first) != tags_.end(); }) &&
            !beside_rows(*at))
            return take_affine(*at, item.span);
    }
    return take_lookup(item);
}

/// True for a sum that needs a lookup: one with an index of the rows or on the axis of the rows, except the whole axis.
bool Access::beside_rows(const Affine& at) const {
    int64_t whole = size(axis());
    auto own = [&](int label) { return elaborator_.labels.size(label); };
    if (at.alone() && own(at.factors.begin()->first) == whole) return false;
    return whole == rows ||
           std::any_of(at.factors.begin(), at.factors.end(), [&](auto& each) { return own(each.first) == rows; });
}

bool Access::take_slice(const ast::ExprRef& start, const ast::ExprRef& stop, const ast::ExprRef& step, Span span) {
    size_t at = axis();
    int64_t whole = size(at);
    if (whole == rows) return take_rows(start, stop, step, span);
    tags_[at] = kept;
    if (!start && !stop && !step) return true;
    bool failed = false;
    auto number = [&](const ast::ExprRef& written, int64_t otherwise) {
        if (!written) return otherwise;
        Term term = elaborator_.evaluate(*written, scope_);
        auto value = constant_integer(elaborator_, term, written->span, "the end of a slice");
        failed = failed || !value;
        return value.value_or(0);
    };
    int64_t stride = number(step, 1);
    if (failed) return false;
    if (stride == 0) return fail(Code::out_of_range, span, "the step of a slice cannot be 0");
    auto from_end = [&](int64_t place) { return place < 0 ? place + whole : place; };
    int64_t first = start ? from_end(number(start, 0)) : stride > 0 ? 0 : whole - 1;
    int64_t last = stop ? from_end(number(stop, 0)) : stride > 0 ? whole : -1;
    if (failed) return false;
    int64_t count = stride > 0 ? (last - first + stride - 1) / stride : (first - last - stride - 1) / -stride;
    bool inside = first >= 0 && first < whole && last >= -1 && last <= whole && count >= 1;
    if (!inside)
        return fail(Code::out_of_range, span,
                    fmt::format("the slice {} is empty or leaves its axis of {}",
                                elaborator_.definitions.sources->text(span), whole));
    cut(at, first, stride, count);
    return true;
}

/// The number of the first or last row as an i32 scalar.
NodeId Access::row(bool last, Span span) {
    if (!last) return build::constant(graph_, 0, Dtype::i32, {}, span);
    NodeId count = build::cast(graph_, row_count(elaborator_, span), Dtype::i32, span);
    NodeId one = build::constant(graph_, 1, Dtype::i32, {}, span);
    return build::elementwise(graph_, Primitive::subtract, {count, one}, span);
}

/// Slices of the rows N that exist for every N: all rows, all in reverse, the first or the last one.
bool Access::take_rows(const ast::ExprRef& start, const ast::ExprRef& stop, const ast::ExprRef& step, Span span) {
    struct Bound {
        bool given = false, end = false; // end: N itself
        int64_t number = 0;
    };
    bool failed = false;
    auto bound = [&](const ast::ExprRef& written) {
        Bound result;
        if (!written) return result;
        Term term = elaborator_.evaluate(*written, scope_);
        result = {true, term.as<RowsSize>() != nullptr, 0};
        if (result.end) return result;
        if (term.as<NodeTerm>()) return Bound{true, false, INT64_MAX};
        auto value = constant_integer(elaborator_, term, written->span, "the end of a slice");
        failed = failed || !value;
        result.number = value.value_or(0);
        return result;
    };
    Bound first = bound(start), last = bound(stop), stride = bound(step);
    if (failed) return false;
    bool forwards = !stride.given || stride.number == 1;
    bool from_start = !first.given || (!first.end && first.number == 0);
    bool to_end = !last.given || last.end;
    if (forwards && from_start && to_end) {
        tags_[axis()] = kept;
        return true;
    }
    bool backwards = stride.number == -1 && !first.given && !last.given;
    bool first_row = forwards && from_start && last.number == 1;
    bool last_row = forwards && first.given && first.number == -1 && to_end;
    if (!backwards && !first_row && !last_row)
        return fail(Code::rows_misuse, span,
                    fmt::format("the number of rows of `{}` is not known: N is at least 1",
                                elaborator_.definitions.sources->text(span)),
                    "`:`, `::-1`, `:1` and `-1:` work for every N; mask other rows: `y[n < N] = where(n > 0, x[max(n - "
                    "1, 0)], 0)`");
    Shape shape{backwards ? rows : 1};
    NodeId from = build::broadcast(graph_, row(!first_row, span), shape, {}, span);
    NodeId at = from;
    if (backwards)
        at = build::elementwise(graph_, Primitive::subtract, {from, build::iota(graph_, shape, 0, Dtype::i32, span)},
                                span);
    return look_up_rows({at, false, elaborator_.level(), {}}, span);
}

/// Pads an axis with zeros so that it holds low..high, counted from its first element.
void Access::surround(int64_t low, int64_t high, Span span) {
    size_t place = axis();
    Shape shape = graph_.type(node_).shape;
    std::vector<int64_t> before(shape.size(), 0);
    before[place] = std::max<int64_t>(0, -low);
    shape[place] = before[place] + std::max(shape[place], high + 1);
    check_size(elaborator_, shape, span);
    node_ = build::pad(graph_, node_, before, shape, 0, span);
}

/// constant + sum of factor * label: a slice for one label, windows for several.
bool Access::take_affine(Affine at, Span span) {
    size_t place = axis();
    int64_t whole = size(place);
    auto own = [&](int label) { return elaborator_.labels.size(label); };
    if (beside_rows(at)) return fail(Code::rows_misuse, span, "an index of the rows N must stand alone, on an axis N");
    if (whole == rows) {
        tags_[place] = at.factors.begin()->first;
        return true;
    }
    int64_t low = at.constant, high = at.constant;
    for (auto [label, factor] : at.factors) (factor > 0 ? high : low) += factor * (own(label) - 1);
    if (low < 0 || high >= whole) {
        if (!elaborator_.indices || !elaborator_.indices->masks(at))
            return fail(Code::out_of_range, span,
                        fmt::format("`{}` runs over {}..{}, but the axis has {}",
                                    elaborator_.definitions.sources->text(span), low, high + 1, whole));
        surround(low, high, span);
        int64_t shift = std::max<int64_t>(0, -low);
        at.constant += shift, low += shift, high += shift;
    }
    if (at.factors.size() == 1) {
        auto [label, factor] = *at.factors.begin();
        cut(place, at.constant, factor, own(label));
        tags_[place] = label;
        return true;
    }
    // A negative factor is a positive one on the reversed axis.
    cut(place, low, 1, high - low + 1);
    std::vector<std::pair<int, int64_t>> left(at.factors.begin(), at.factors.end());
    std::stable_sort(left.begin(), left.end(),
                     [](auto& a, auto& b) { return std::abs(a.second) > std::abs(b.second); });
    while (left.size() > 1) {
        auto [label, factor] = left.front();
        left.erase(left.begin());
        int64_t stride = std::abs(factor), positions = own(label);
        int64_t dilation = left.size() == 1 ? std::abs(left[0].second) : 1;
        int64_t taps = left.size() == 1 ? own(left[0].first) : size(place) - stride * (positions - 1);
        Shape windows = graph_.type(node_).shape;
        windows[place] = positions;
        windows.insert(windows.begin() + int64_t(place) + 1, taps);
        check_size(elaborator_, windows, span);
        node_ = build::window(graph_, node_, Window{int(place), stride, dilation}, positions, taps, expression_.span);
        tags_[place] = label;
        tags_.insert(tags_.begin() + int64_t(place) + 1, waiting);
        if (factor < 0) cut(place, positions - 1, -1, positions);
        ++place;
    }
    tags_[place] = left[0].first;
    if (left[0].second < 0) cut(place, size(place) - 1, -1, size(place));
    return true;
}

bool Access::take_lookup(const ast::Expr& item) {
    Term value = elaborator_.evaluate(item, scope_);
    if (value.poisoned()) return false;
    size_t place = axis();
    int64_t whole = size(place);
    if (auto number = value.as<ConstantNumber>(); number && number->kind != ConstantNumber::Kind::boolean) {
        auto at = constant_integer(elaborator_, value, item.span, "an index");
        if (!at) return false;
        if (whole == rows) return pick_row(*at, item.span);
        int64_t first = *at < 0 ? *at + whole : *at;
        if (first < 0 || first >= whole)
            return fail(Code::out_of_range, item.span, fmt::format("index {} is outside an axis of {}", *at, whole));
        cut(place, first, 1, 1);
        drop(place);
        return true;
    }
    auto at = to_operand(elaborator_, value, item.span);
    if (!at) return false;
    Dtype dtype = graph_.type(at->node).dtype;
    if (floating(dtype) || at->weak)
        return fail(Code::lookup_misuse, item.span,
                    fmt::format("a lookup needs integers, not {}", describe(elaborator_, value)));
    if (dtype == Dtype::boolean) *at = in_dtype(elaborator_, *at, Dtype::i32, item.span);
    if (whole == rows) return look_up_rows(*at, item.span);
    Range range = elaborator_.levels.range(at->node);
    if (!range.inside(0, whole - 1)) {
        bool open = range.high >= range_of(Dtype::i32).high;
        return fail(Code::out_of_range, item.span,
                    open ? fmt::format("this lookup may leave its axis of {}: nothing bounds it", whole)
                         : fmt::format("this lookup may be {}, outside its axis of {}",
                                       range.low < 0 ? range.low : range.high, whole),
                    fmt::format("take a remainder, `i % {}`, or declare the field as `int < {}`", whole, whole));
    }
    return look_up(*at, item.span);
}

bool Access::pick_row(int64_t number, Span span) {
    if (number == 0 || number == -1)
        return look_up_rows({row(number == -1, span), false, elaborator_.level(), {}}, span);
    return fail(Code::rows_misuse, span, fmt::format("row {} may not exist: N is at least 1", number),
                fmt::format("rows 0 and -1 always exist, and so does row `min({}, N - 1)`", number < 0 ? 0 : number));
}

/// Lookups among the rows that exist for every N. Indices are clamped to 0, for lanes beyond the last row.
bool Access::look_up_rows(NodeTerm at, Span span) {
    if (!RowRanges(graph_)(at.node).inside_rows())
        return fail(Code::rows_misuse, span, "this may leave the rows N for some N",
                    "use `min(n + 1, N - 1)`, `max(n - 1, 0)` or `(n + 1) % N`, and mask with `where(n > 0, .., 0)`");
    if (elaborator_.levels.range(at.node).low < 0) {
        NodeId zero = build::constant(graph_, 0, graph_.type(at.node).dtype, {}, span);
        at.node = build::elementwise(graph_, Primitive::maximum, {at.node, zero}, span);
    }
    return look_up(at, span);
}

bool Access::look_up(NodeTerm at, Span span) {
    Shape full = graph_.type(at.node).shape;
    size_t labels = at.labels.size(), rest = full.size() - labels;
    if (rest && std::exchange(looked_up_, true))
        return fail(Code::lookup_misuse, span, "brackets can hold one lookup by a tensor",
                    "write two pairs of brackets, or a definition by index");
    // Common labels come first on both sides.
    std::vector<int> common;
    for (int label : at.labels)
        if (std::find(tags_.begin(), tags_.end(), label) != tags_.end()) common.push_back(label);
    size_t place = axis();
    std::vector<int> order, index_order, new_tags(common);
    for (int label : common) order.push_back(int(std::find(tags_.begin(), tags_.end(), label) - tags_.begin()));
    size_t target = order.size();
    for (size_t i = 0; i < tags_.size(); ++i) {
        if (std::find(order.begin(), order.begin() + int64_t(common.size()), int(i)) !=
            order.begin() + int64_t(common.size()))
            continue;
        if (i == place) target = order.size();
        order.push_back(int(i));
    }
    for (int label : common)
        index_order.push_back(int(std::find(at.labels.begin(), at.labels.end(), label) - at.labels.begin()));
    std::vector<int> looked;
    for (size_t i = 0; i < full.size(); ++i) {
        bool shared = i < labels && std::find(common.begin(), common.end(), at.labels[i]) != common.end();
        if (shared) continue;
        index_order.push_back(int(i));
        looked.push_back(i < labels ? at.labels[i] : kept);
    }
    permute(order);
    NodeId index = permuted(graph_, at.node, index_order, span);
    Shape looked_up = graph_.type(node_).shape;
    const Shape& at_shape = graph_.type(index).shape;
    looked_up.erase(looked_up.begin() + int64_t(target));
    looked_up.insert(looked_up.end(), at_shape.begin() + int64_t(common.size()), at_shape.end());
    check_size(elaborator_, looked_up, span);
    node_ = build::gather(graph_, node_, index, Gather{int(target), int(common.size())}, span);
    tags_.erase(tags_.begin() + int64_t(target));
    tags_.insert(tags_.begin() + int64_t(target), looked.begin(), looked.end());
    return true;
}

/// An entry of a list of constants: shape(x)[0].
std::optional<Term> list_item(Elaborator& elaborator, const ListTerm& list, const ast::Index& access, Scope& scope) {
    if (access.items.size() != 1 || mentions_index(*access.items[0], scope)) return {};
    if (std::holds_alternative<ast::Slice>(access.items[0]->node) ||
        std::holds_alternative<ast::Ellipsis>(access.items[0]->node))
        return {};
    Term at = elaborator.evaluate(*access.items[0], scope);
    auto number = at.as<ConstantNumber>();
    if (!number) return {};
    int64_t count = int64_t(list.items.size()), place = int64_t(number->value);
    if (place < 0) place += count;
    if (place >= 0 && place < count) return list.items[size_t(place)];
    elaborator.error(Code::out_of_range, access.items[0]->span,
                     fmt::format("index {} is outside a list of {}", int64_t(number->value), count));
    return Term{};
}

} // namespace

Term elaborate_access(Elaborator& elaborator, const ast::Expr& expression, const ast::Index& access, Scope& scope) {
    Term object = elaborator.evaluate(*access.object, scope);
    if (object.poisoned()) return {};
    if (auto list = object.as<ListTerm>())
        if (auto item = list_item(elaborator, *list, access, scope)) return *item;
    return Access(elaborator, expression, access, scope).run(object);
}

NodeTerm sliced(Elaborator& elaborator, const NodeTerm& value, int axis, int64_t start, int64_t step, int64_t size,
                Span span) {
    Shape shape = elaborator.graph().type(value.node).shape;
    size_t at = value.labels.size() + size_t(axis);
    std::vector<int64_t> starts(shape.size(), 0), steps(shape.size(), 1);
    shape[at] = size, starts[at] = start, steps[at] = step;
    NodeTerm result = value;
    result.node = build::slice(elaborator.graph(), value.node, starts, steps, shape, span);
    return result;
}

} // namespace gradc
