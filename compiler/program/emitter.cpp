// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Scopes are a stack; a definition goes to the scope of its deepest operand.
// Loads of memory that the kernel writes stay where they are asked for.
#include "compiler/program/emitter.h"
#include "compiler/util/check.h"
#include <algorithm>
#include <cstring>

namespace gradc {

using namespace loop;

Emitter::Emitter(Kernel& kernel, std::set<BufferId> written) : kernel_(kernel), written_(std::move(written)) {
    scopes_.push_back({});
}

ValueId Emitter::fresh(ValueType type, int depth) {
    kernel_.types.push_back(type);
    kernel_.names.push_back("");
    depth_.push_back(depth);
    serial_.push_back(size_t(depth) < scopes_.size() ? scopes_[size_t(depth)].serial : serials_ + 1);
    return ValueId(kernel_.types.size() - 1);
}

ValueId Emitter::define(Operation operation, ValueType result, std::vector<ValueId> operands, double number,
                        int64_t integer) {
    uint64_t bits;
    std::memcpy(&bits, &number, sizeof bits);
    Key key{int(operation), int(result.dtype), result.lanes, operands, bits, integer};
    if (auto found = known_.find(key); found != known_.end()) return found->second;
    int depth = 0;
    for (ValueId operand : operands) depth = std::max(depth, depth_[operand]);
    ValueId id = fresh(result, depth);
    Scope& scope = scopes_[size_t(depth)];
    scope.body.push_back({Define{id, operation, std::move(operands), number, integer}});
    known_[key] = id;
    scope.keys.push_back(std::move(key));
    return id;
}

ValueId Emitter::integer(int64_t value, ValueType type) { return define(Operation::literal, type, {}, 0, value); }

ValueId Emitter::number(double value, ValueType type) {
    if (floating(type.dtype) || type.dtype == Dtype::boolean) return define(Operation::literal, type, {}, value);
    return integer(int64_t(value), type);
}

ValueId Emitter::stream(uint64_t stream, bool upper) {
    std::vector<uint64_t>& streams = kernel_.streams;
    auto found = std::find(streams.begin(), streams.end(), stream);
    int64_t number = found - streams.begin();
    if (found == streams.end()) streams.push_back(stream);
    return define(Operation::stream, {Dtype::i32, 1}, {}, 0, 2 * number + upper);
}

ValueId Emitter::widened(ValueId id, int lanes) {
    if (type(id).lanes == lanes) return id;
    check(type(id).lanes == 1, "lower", "a vector is to become another");
    return define(Operation::splat, {type(id).dtype, lanes}, {id});
}

ValueId Emitter::apply(Operation operation, std::vector<ValueId> operands) {
    int lanes = 1;
    for (ValueId operand : operands) lanes = std::max(lanes, type(operand).lanes);
    for (ValueId& operand : operands) operand = widened(operand, lanes);
    ValueType result = type(operands.back());
    return define(operation, result, std::move(operands));
}

ValueId Emitter::compare(Operation operation, ValueId a, ValueId b) {
    int lanes = std::max(type(a).lanes, type(b).lanes);
    return define(operation, {Dtype::boolean, lanes}, {widened(a, lanes), widened(b, lanes)});
}

ValueId Emitter::convert(ValueId id, Dtype dtype) {
    if (type(id).dtype == dtype) return id;
    return define(Operation::convert, {dtype, type(id).lanes}, {id});
}

ValueId Emitter::load(BufferId buffer, Dtype dtype, int lanes, Affine at, int64_t stride, ValueId mask,
                      ValueId lane_index, ValueId wanted) {
    std::sort(at.terms.begin(), at.terms.end());
    LoadKey key{buffer, lanes, at.constant, at.terms, stride, mask, lane_index, wanted};
    bool stable = !written_.count(buffer);
    if (auto found = loaded_.find(key); stable && found != loaded_.end()) return found->second;
    int depth = stable ? 0 : this->depth();
    for (auto [value, coefficient] : at.terms) depth = std::max(depth, depth_[value]);
    for (ValueId value : {mask, lane_index, wanted})
        if (value != no_value) depth = std::max(depth, depth_[value]);
    ValueId id = fresh({dtype, lanes}, depth);
    Scope& scope = scopes_[size_t(depth)];
    scope.body.push_back({Load{id, buffer, std::move(at), stride, mask, lane_index, wanted}});
    if (stable) {
        loaded_[key] = id;
        scope.loads.push_back(std::move(key));
    }
    return id;
}

void Emitter::store(BufferId buffer, Affine at, ValueId value, int64_t stride, ValueId mask) {
    std::sort(at.terms.begin(), at.terms.end());
    scopes_.back().body.push_back({Store{buffer, std::move(at), value, stride, mask}});
}

void Emitter::prefetch(BufferId buffer, Affine at, bool for_write) {
    std::sort(at.terms.begin(), at.terms.end());
    scopes_.back().body.push_back({Prefetch{buffer, std::move(at), for_write}});
}

void Emitter::comment(std::string text) { scopes_.back().body.push_back({Comment{std::move(text)}}); }

std::pair<ValueId, std::vector<ValueId>> Emitter::open_loop(ValueId begin, ValueId end, int64_t step,
                                                            const std::string& name,
                                                            const std::vector<ValueId>& initial) {
    Scope scope;
    int depth = int(scopes_.size());
    scope.loop.index = fresh({Dtype::i64, 1}, depth);
    scope.loop.begin = begin;
    scope.loop.end = end;
    scope.loop.step = step;
    scope.loop.name = name;
    std::vector<ValueId> inside;
    for (ValueId value : initial) {
        inside.push_back(fresh(type(value), depth));
        scope.loop.carried.push_back({inside.back(), value, no_value, no_value});
    }
    ValueId index = scope.loop.index;
    open(std::move(scope));
    return {index, inside};
}

void Emitter::open(Scope scope) {
    scope.serial = ++serials_;
    scopes_.push_back(std::move(scope));
}

Emitter::Scope Emitter::close() {
    Scope scope = std::move(scopes_.back());
    scopes_.pop_back();
    for (const Key& key : scope.keys) known_.erase(key);
    for (const LoadKey& key : scope.loads) loaded_.erase(key);
    return scope;
}

std::vector<ValueId> Emitter::close_loop(const std::vector<ValueId>& next) {
    Scope scope = close();
    std::vector<ValueId> after;
    for (size_t i = 0; i < next.size(); ++i) {
        scope.loop.carried[i].next = next[i];
        after.push_back(fresh(type(scope.loop.carried[i].phi), depth()));
        scope.loop.carried[i].result = after.back();
    }
    scope.loop.body = std::move(scope.body);
    scopes_.back().body.push_back({std::move(scope.loop)});
    return after;
}

void Emitter::open_branch(ValueId condition) {
    Scope scope;
    scope.branch.condition = condition;
    open(std::move(scope));
}

void Emitter::open_otherwise() {
    Scope then = close(), otherwise;
    otherwise.branch.condition = then.branch.condition;
    otherwise.branch.then = std::move(then.body);
    open(std::move(otherwise));
}

void Emitter::close_branch() {
    Scope scope = close();
    scope.branch.otherwise = std::move(scope.body);
    if (scope.branch.then.empty() && scope.branch.otherwise.empty()) return;
    scopes_.back().body.push_back({std::move(scope.branch)});
}

void Emitter::finish() {
    check(scopes_.size() == 1, "lower", "a loop or branch was left open");
    kernel_.body = std::move(scopes_[0].body);
}

} // namespace gradc
