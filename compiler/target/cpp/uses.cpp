// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Bodies are walked backwards, so that users come before the values that they use. If the only user of a value is itself
// written where it is used, that place counts. This matters for loads: none may move past a store, a loop or a branch.
#include "compiler/target/cpp/kernel.h"

namespace gradc::target {

using namespace loop;

void CppKernel::count_uses(const std::vector<ValueId>& results) {
    uses_.resize(kernel_.types.size());
    home_.assign(kernel_.types.size(), -1);
    index_.assign(kernel_.types.size(), false);
    definitions_.assign(kernel_.types.size(), nullptr);
    mask_bytes_.assign(kernel_.types.size(), 0);
    values_.resize(kernel_.types.size());
    note_definitions(kernel_.body);
    find_calls();
    find_groups(kernel_.body);
    for (ValueId result : results) use(result, 0, int(kernel_.body.size()));
    count(kernel_.body, 0);
    choose_masks(kernel_.body);
}

void CppKernel::note_definitions(const Body& body) {
    for (const Statement& statement : body) {
        if (auto* define = std::get_if<Define>(&statement.node)) definitions_[define->result] = define;
        if (auto* loop = std::get_if<Loop>(&statement.node)) note_definitions(loop->body);
        if (auto* branch = std::get_if<If>(&statement.node))
            note_definitions(branch->then), note_definitions(branch->otherwise);
    }
}

void CppKernel::use(ValueId id, int body, int place) {
    if (id == no_value) return;
    ++uses_[id].count;
    uses_[id].body = body;
    uses_[id].place = place;
}

void CppKernel::use(const Affine& element, int body, int place) {
    for (auto [term, coefficient] : element.terms) use(term, body, place);
}

void CppKernel::touch(BufferId buffer) {
    if (array(buffer)) return;
    buffers_.emplace(buffer, "");
}

void CppKernel::count(const Body& body, int number) {
    numbers_[&body] = number;
    if (int(barriers_.size()) <= number) barriers_.resize(size_t(number) + 1);
    std::vector<bool> barriers;
    for (const Statement& statement : body)
        barriers.push_back(std::holds_alternative<Store>(statement.node) ||
                           std::holds_alternative<Loop>(statement.node) || std::holds_alternative<If>(statement.node));
    barriers_[size_t(number)] = std::move(barriers);
    for (size_t i = body.size(); i-- > 0;) count(body[i], int(i), number);
}

void CppKernel::count(const Statement& statement, int place, int body) {
    auto evaluated = [&](ValueId id) { // where the text of this value will stand at the latest
        home_[id] = body;
        const Uses& uses = uses_[id];
        return uses.count == 1 && uses.body == body ? uses.place : place;
    };
    if (auto* define = std::get_if<Define>(&statement.node)) {
        int at = evaluated(define->result);
        if (uses_[define->result].count == 0) return;
        auto call = calls_.find(define->result);
        for (ValueId operand : call == calls_.end() ? define->operands : call->second.arguments) use(operand, body, at);
    } else if (auto* load = std::get_if<Load>(&statement.node)) {
        int at = evaluated(load->result);
        if (uses_[load->result].count == 0) return;
        touch(load->buffer);
        use(load->element, body, at);
        use(load->mask, body, at);
        use(load->lane_index, body, at);
    } else if (auto* store = std::get_if<Store>(&statement.node)) {
        touch(store->buffer);
        if (!array(store->buffer)) written_.insert(store->buffer);
        use(store->element, body, place);
        use(store->value, body, place);
        use(store->mask, body, place);
    } else if (auto* prefetch = std::get_if<Prefetch>(&statement.node)) {
        touch(prefetch->buffer);
        use(prefetch->element, body, place);
    } else if (auto* loop = std::get_if<Loop>(&statement.node)) {
        int inner = int(barriers_.size());
        barriers_.emplace_back();
        for (const Carried& carried : loop->carried) use(carried.next, inner, int(loop->body.size()));
        count(loop->body, inner);
        for (const Carried& carried : loop->carried) use(carried.initial, body, place);
        if (auto group = groups_.find(loop); group != groups_.end())
            for (ValueId id : bound(loop->begin, "long_begin", loop->step)->arguments) use(id, body, place);
        if (grouped_.count(loop)) return; // its bounds stand in the function that calls it
        use(loop->begin, body, place);
        use(loop->end, body, place);
        use(loop->end, body, place); // in every turn: give it a name
    } else if (auto* branch = std::get_if<If>(&statement.node)) {
        for (const Body* side : {&branch->then, &branch->otherwise}) {
            barriers_.emplace_back();
            count(*side, int(barriers_.size()) - 1);
        }
        use(branch->condition, body, place);
    }
}

bool CppKernel::movable(ValueId id, int from) const {
    const Uses& uses = uses_[id];
    const std::vector<bool>& barriers = barriers_[size_t(home_[id])];
    for (int place = from + 1; place < std::min(uses.place, int(barriers.size())); ++place)
        if (barriers[size_t(place)]) return false;
    return true;
}

// ---- masks -------------------------------------------------------------------------------------

void CppKernel::want_mask(ValueId id, int bytes) {
    if (id != no_value && type_of(id).dtype == Dtype::boolean && !mask_bytes_[id]) mask_bytes_[id] = bytes;
}

/// Lanes of a comparison are as wide as its operands. Counts and literals take the width of their first user.
void CppKernel::choose_masks(const Body& body) {
    for (const Statement& statement : body) {
        if (auto* define = std::get_if<Define>(&statement.node)) {
            ValueType result = type_of(define->result);
            auto wide = [&](ValueId id) { return lane_bytes(lane_of(type_of(id).dtype)); };
            bool from_masks = !define->operands.empty() && type_of(define->operands[0]).dtype == Dtype::boolean;
            if (define->operation == Operation::select && result.dtype != Dtype::boolean) {
                want_mask(define->operands[0], wide(define->result));
            } else if (result.dtype == Dtype::boolean && from_masks) {
                int bytes = 0;
                for (ValueId operand : define->operands) bytes = std::max(bytes, mask_bytes_[operand]);
                if (!bytes) continue;
                for (ValueId operand : define->operands) want_mask(operand, bytes);
                want_mask(define->result, bytes);
            } else if (result.dtype == Dtype::boolean && define->operation != Operation::lane_mask &&
                       !define->operands.empty()) {
                want_mask(define->result, wide(define->operands[0]));
            } else if (define->operation == Operation::convert && from_masks) {
                want_mask(define->operands[0], wide(define->result));
            }
        } else if (auto* load = std::get_if<Load>(&statement.node)) {
            want_mask(load->mask, lane_bytes(lane_of(type_of(load->result).dtype)));
        } else if (auto* store = std::get_if<Store>(&statement.node)) {
            want_mask(store->mask, lane_bytes(lane_of(type_of(store->value).dtype)));
        } else if (auto* loop = std::get_if<Loop>(&statement.node)) {
            for (const Carried& carried : loop->carried) want_mask(carried.phi, mask_bytes(carried.initial));
            choose_masks(loop->body);
            for (const Carried& carried : loop->carried) want_mask(carried.result, mask_bytes(carried.initial));
        } else if (auto* branch = std::get_if<If>(&statement.node)) {
            choose_masks(branch->then);
            choose_masks(branch->otherwise);
        }
    }
}

} // namespace gradc::target
