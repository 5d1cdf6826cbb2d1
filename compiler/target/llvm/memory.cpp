// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Loads and stores. Bools in memory are u8, 0 and 1. A stride other than 1, 0 and -1 is a gather or
// scatter.
#include "compiler/program/code.h"
#include "compiler/target/llvm/divisor.h"
#include "compiler/target/llvm/kernel.h"
#include <algorithm>
#include <llvm/Analysis/VectorUtils.h>
#include <llvm/IR/MDBuilder.h>

namespace gradc::target {

using namespace loop;

static std::vector<int> counting(int from, int to) {
    std::vector<int> numbers;
    for (int number = from; number < to; ++number) numbers.push_back(number);
    return numbers;
}

void KernelEmitter::make_scopes() {
    scopes_.resize(module_.buffers.size());
    buffers_ = buffers_in(kernel_.body);
    if (buffers_.size() < 2) return;
    llvm::LLVMContext& context = target_.getContext();
    llvm::MDBuilder metadata(context);
    llvm::MDNode* domain = metadata.createAnonymousAliasScopeDomain(kernel_.name);
    std::vector<std::pair<BufferId, llvm::Metadata*>> all;
    for (BufferId id : buffers_)
        all.emplace_back(id, metadata.createAnonymousAliasScope(domain, module_.buffers[id].name));
    for (auto [id, own] : all) {
        std::vector<llvm::Metadata*> others;
        for (auto [other, scope] : all)
            if (!overlap(module_.buffers[id], module_.buffers[other])) others.push_back(scope);
        scopes_[id].own = llvm::MDNode::get(context, own);
        if (!others.empty()) scopes_[id].others = llvm::MDNode::get(context, others);
    }
}

template <class Access> Access* KernelEmitter::tag(Access* access, BufferId buffer) {
    const Scope& scope = scopes_[buffer];
    if (scope.own) access->setMetadata(llvm::LLVMContext::MD_alias_scope, scope.own);
    if (scope.others) access->setMetadata(llvm::LLVMContext::MD_noalias, scope.others);
    return access;
}

llvm::Value* KernelEmitter::on_stack(BufferId id) {
    llvm::AllocaInst*& made = locals_[id];
    if (made) return made;
    const Buffer& buffer = module_.buffers[id];
    llvm::IRBuilder<> entry(&function_->getEntryBlock(), function_->getEntryBlock().begin());
    auto* bytes = llvm::ArrayType::get(builder_.getInt8Ty(), uint64_t(buffer.size) + 64); // a vector may overrun
    made = entry.CreateAlloca(bytes, nullptr, buffer.name);
    made->setAlignment(llvm::Align(64));
    return made;
}

llvm::Value* KernelEmitter::argument(int64_t number) {
    llvm::BasicBlock& first = function_->getEntryBlock();
    llvm::IRBuilder<> entry(&first, first.begin());
    llvm::Value* at = entry.CreateConstInBoundsGEP1_64(entry.getInt32Ty(), function_->getArg(2), uint64_t(number));
    auto* read = entry.CreateAlignedLoad(entry.getInt32Ty(), at, llvm::Align(4));
    read->setMetadata(llvm::LLVMContext::MD_invariant_load, llvm::MDNode::get(target_.getContext(), {}));
    return read;
}

/// Where the buffer begins, of a function that takes arguments.
llvm::Value* KernelEmitter::base(BufferId id) {
    llvm::Value*& made = bases_[id];
    if (made) return made;
    auto number = std::find(buffers_.begin(), buffers_.end(), id) - buffers_.begin();
    auto* units = llvm::cast<llvm::Instruction>(argument(number));
    llvm::IRBuilder<> entry(units->getParent(), std::next(units->getIterator()));
    llvm::Value* offset = entry.CreateShl(entry.CreateZExt(units, entry.getInt64Ty()), 6, "", true, true);
    return made = entry.CreateInBoundsGEP(entry.getInt8Ty(), function_->getArg(0), offset);
}

llvm::Value* KernelEmitter::advance(llvm::Value* from, llvm::Value* term, int64_t bytes) {
    llvm::Value* by = builder_.CreateMul(term, builder_.getInt64(uint64_t(bytes)), "", false, true);
    return builder_.CreateInBoundsGEP(builder_.getInt8Ty(), from, by);
}

llvm::Value* KernelEmitter::address(BufferId id, const Affine& element, int64_t shift) {
    int64_t size = bytes(module_.buffers[id].dtype), constant = element.constant + shift;
    Terms terms;
    for (const auto& [term, coefficient] : element.terms) {
        if (auto* known = llvm::dyn_cast<llvm::ConstantInt>(value(term)))
            constant += known->getSExtValue() * coefficient;
        else terms.emplace_back(term, coefficient);
    }
    auto is_index = [&](ValueId term) {
        for (const Walk& walk : walks_)
            if (walk.index == term) return true;
        return false;
    };
    auto order = [&](const auto& term) { // an index before what its loop computes
        return std::pair(depths_[term.first], !is_index(term.first));
    };
    std::stable_sort(terms.begin(), terms.end(), [&](const auto& a, const auto& b) { return order(a) < order(b); });
    llvm::Value* at = place(id, std::move(terms));
    return constant ? advance(at, builder_.getInt64(uint64_t(constant)), size) : at;
}

/// Where the buffer's element at the sum of these terms lies.
llvm::Value* KernelEmitter::place(BufferId id, Terms terms) {
    const Buffer& buffer = module_.buffers[id];
    if (terms.empty()) {
        if (inlining_) return (*inlining_->places)[id];
        if (buffer.role == Buffer::Role::local) return on_stack(id);
        if (kernel_.takes_arguments) return base(id);
        llvm::Value* offset = builder_.getInt64(uint64_t(buffer.offset));
        return buffer.offset ? advance(function_->getArg(0), offset, 1) : function_->getArg(0);
    }
    auto [term, coefficient] = terms.back();
    for (Walk& walk : walks_)
        if (walk.index == term) return walked(walk, id, terms);
    terms.pop_back();
    return advance(place(id, std::move(terms)), value(term), coefficient * bytes(buffer.dtype));
}

/// The same, where the last term is the index of a loop: a pointer that moves with it, or one before the loop and the
/// index scaled by what an instruction can scale.
llvm::Value* KernelEmitter::walked(Walk& walk, BufferId id, const Terms& terms) {
    llvm::Value*& known = walk.places[{id, terms}];
    if (known) return known;
    int64_t iteration = terms.back().second * bytes(module_.buffers[id].dtype);
    llvm::IRBuilderBase::InsertPointGuard guard(builder_);
    builder_.SetInsertPoint(walk.before->getTerminator());
    llvm::Value* start = place(id, {terms.begin(), terms.end() - 1});
    llvm::BasicBlock* body = walk.counter->getParent();
    if (iteration == 1 || iteration == 2 || iteration == 4 || iteration == 8) {
        builder_.SetInsertPoint(body, body->getFirstNonPHIIt());
        return known = advance(start, walk.counter, iteration);
    }
    auto* first = llvm::dyn_cast<llvm::ConstantInt>(walk.begin);
    if (!first || !first->isZero()) start = advance(start, walk.begin, iteration);
    builder_.SetInsertPoint(body, body->getFirstNonPHIIt());
    auto* moving = builder_.CreatePHI(builder_.getPtrTy(), 2);
    moving->addIncoming(start, walk.before);
    walk.moving.emplace_back(moving, iteration * walk.step);
    return known = moving;
}

/// At the end of the innermost loop's body: what moves steps on.
void KernelEmitter::close_walk(llvm::BasicBlock* latch) {
    if (walks_.empty()) return;
    std::vector<std::pair<llvm::PHINode*, int64_t>>& moving = walks_.back().moving;
    for (auto one = moving.rbegin(); one != moving.rend(); ++one) {
        llvm::Value* iteration = builder_.getInt64(uint64_t(one->second));
        one->first->addIncoming(builder_.CreateGEP(builder_.getInt8Ty(), one->first, iteration), latch);
    }
    walks_.pop_back();
}

llvm::Align KernelEmitter::align(BufferId id, const Affine& element, int64_t stride) const {
    const Buffer& buffer = module_.buffers[id];
    if (stride != 1) return llvm::Align(uint64_t(bytes(buffer.dtype)));
    return llvm::Align(uint64_t(alignment(buffer, element, divisors_)));
}

llvm::Value* KernelEmitter::lane_offsets(int lanes, int64_t stride) {
    bool narrow = std::abs(stride) < (1 << 24);
    std::vector<llvm::Constant*> offsets;
    for (int64_t lane = 0; lane < lanes; ++lane)
        offsets.push_back(narrow ? builder_.getInt32(uint32_t(lane * stride))
                                 : builder_.getInt64(uint64_t(lane * stride)));
    return llvm::ConstantVector::get(offsets);
}

/// Calls each(first lane, lanes, their part of the mask) for parts no wider than the machine's vectors. LLVM would split
/// a wide masked access itself, but LLVM 19 then loads the upper part without its mask where that is known to be off.
template <class Each>
static void for_each_part(llvm::IRBuilder<>& builder, const Machine& machine, llvm::Type* memory, llvm::Value* mask,
                          Each each) {
    unsigned lanes = llvm::cast<llvm::FixedVectorType>(memory)->getNumElements();
    unsigned part = std::min(lanes, unsigned(machine.vector_bytes * 8) / memory->getScalarSizeInBits());
    for (unsigned first = 0; first < lanes; first += part)
        each(int(first), int(part),
             part == lanes || !mask ? mask
                                    : builder.CreateShuffleVector(mask, counting(int(first), int(first + part))));
}

/// Of a vector. Lanes under the mask, or at their own places, go through a gather.
llvm::Value* KernelEmitter::load_strided(const Load& load, llvm::Type* memory) {
    int lanes = type_of(load.result).lanes;
    llvm::Type* dtype = memory->getScalarType();
    if (load.lane_index == no_value && load.mask == no_value && load.stride == 0) {
        llvm::Value* at = address(load.buffer, load.element);
        auto* one = builder_.CreateAlignedLoad(dtype, at, align(load.buffer, load.element, 1));
        return builder_.CreateVectorSplat(unsigned(lanes), tag(one, load.buffer));
    }
    if (load.lane_index == no_value && load.mask == no_value && load.stride == -1) {
        llvm::Value* at = address(load.buffer, load.element, 1 - lanes);
        auto* backwards = builder_.CreateAlignedLoad(memory, at, align(load.buffer, load.element, -1));
        return builder_.CreateVectorReverse(tag(backwards, load.buffer));
    }
    llvm::Value* offsets = load.lane_index == no_value ? lane_offsets(lanes, load.stride) : value(load.lane_index);
    llvm::Value* at = builder_.CreateGEP(dtype, address(load.buffer, load.element), offsets);
    llvm::Value* mask = load.mask == no_value ? nullptr : value(load.mask);
    llvm::SmallVector<llvm::Value*> parts;
    for_each_part(builder_, machine_, memory, mask, [&](int first, int count, llvm::Value* on) {
        auto* vector = llvm::FixedVectorType::get(dtype, unsigned(count));
        llvm::Value* places = count == lanes ? at : builder_.CreateShuffleVector(at, counting(first, first + count));
        parts.push_back(tag(builder_.CreateMaskedGather(vector, places, align(load.buffer, load.element, 0), on,
                                                        llvm::Constant::getNullValue(vector)),
                            load.buffer));
    });
    return llvm::concatenateVectors(builder_, parts);
}

KernelEmitter::Lanes KernelEmitter::known_lanes(ValueId mask, int lanes) const {
    if (!inlining_ || lanes == 1) return {};
    if (mask == no_value) return std::vector<bool>(size_t(lanes), true);
    auto* constant = llvm::dyn_cast<llvm::Constant>(value(mask));
    if (!constant) return {};
    std::vector<bool> on;
    for (unsigned lane = 0; lane < unsigned(lanes); ++lane) {
        llvm::Constant* one = constant->getAggregateElement(lane);
        if (!one || !llvm::isa<llvm::ConstantInt>(one)) return {};
        on.push_back(one->isOneValue());
    }
    return on;
}

namespace {

/// How many lanes are on, if these are the first ones; else -1.
int first_lanes(const std::vector<bool>& on) {
    int count = 0;
    while (count < int(on.size()) && on[size_t(count)]) ++count;
    for (size_t lane = size_t(count); lane < on.size(); ++lane)
        if (on[lane]) return -1;
    return count;
}

} // namespace

llvm::Value* KernelEmitter::load_lanes(const Load& load, llvm::Type* memory, const std::vector<bool>& on) {
    llvm::Type* dtype = memory->getScalarType();
    llvm::Value* zeros = llvm::Constant::getNullValue(memory);
    int lanes = int(on.size()), count = first_lanes(on);
    if (load.stride == 1 && count > 1) {
        auto* narrow = llvm::FixedVectorType::get(dtype, unsigned(count));
        llvm::Value* loaded =
            builder_.CreateAlignedLoad(narrow, address(load.buffer, load.element), align(load.buffer, load.element, 1));
        if (count == lanes) return loaded;
        llvm::Value* none = llvm::Constant::getNullValue(narrow);
        std::vector<int> places = counting(0, count);
        places.resize(size_t(lanes), count); // the first of the zeros
        return builder_.CreateShuffleVector(loaded, none, places);
    }
    llvm::Value* result = zeros;
    for (int lane = 0; lane < lanes; ++lane) {
        if (!on[size_t(lane)]) continue;
        llvm::Value* at = address(load.buffer, load.element, lane * load.stride);
        llvm::Value* one = builder_.CreateAlignedLoad(dtype, at, align(load.buffer, load.element, 0));
        result = builder_.CreateInsertElement(result, one, uint64_t(lane));
    }
    return result;
}

void KernelEmitter::store_lanes(const Store& store, const std::vector<bool>& on) {
    llvm::Value* content = value(store.value);
    int count = first_lanes(on);
    if (store.stride == 1 && count > 1) {
        if (count < int(on.size())) content = builder_.CreateShuffleVector(content, counting(0, count));
        builder_.CreateAlignedStore(content, address(store.buffer, store.element),
                                    align(store.buffer, store.element, 1));
        return;
    }
    for (int lane = 0; lane < int(on.size()); ++lane)
        if (on[size_t(lane)])
            builder_.CreateAlignedStore(builder_.CreateExtractElement(content, uint64_t(lane)),
                                        address(store.buffer, store.element, lane * store.stride),
                                        align(store.buffer, store.element, 0));
}

void KernelEmitter::emit(const Load& load) {
    ValueType result = type_of(load.result);
    llvm::Type* memory = type(result);
    llvm::Value* loaded = nullptr;
    ValueId looked_at = load.mask == no_value ? load.wanted : load.mask;
    if (auto on = known_lanes(looked_at, result.lanes); on && load.lane_index == no_value)
        return bind(load.result, load_lanes(load, memory, *on));
    if (result.lanes > 1 && (load.stride != 1 || load.lane_index != no_value)) {
        loaded = load_strided(load, memory);
    } else if (load.mask == no_value) {
        llvm::Value* at = address(load.buffer, load.element);
        if (load.lane_index != no_value) at = builder_.CreateGEP(memory, at, value(load.lane_index));
        llvm::Align aligned = align(load.buffer, load.element, load.lane_index == no_value ? 1 : 0);
        loaded = tag(builder_.CreateAlignedLoad(memory, at, aligned), load.buffer);
    } else {
        llvm::Type* vector = llvm::FixedVectorType::get(memory->getScalarType(), unsigned(result.lanes));
        llvm::Value* at = address(load.buffer, load.element);
        llvm::Value* mask = value(load.mask);
        if (load.lane_index != no_value) at = builder_.CreateGEP(memory, at, value(load.lane_index));
        if (result.lanes == 1) mask = builder_.CreateVectorSplat(1, mask);
        llvm::Align aligned = align(load.buffer, load.element, load.lane_index == no_value ? 1 : 0);
        llvm::SmallVector<llvm::Value*> parts;
        for_each_part(builder_, machine_, vector, mask, [&](int first, int count, llvm::Value* on) {
            auto* part = llvm::FixedVectorType::get(memory->getScalarType(), unsigned(count));
            llvm::Value* from = first ? builder_.CreateConstInBoundsGEP1_64(memory->getScalarType(), at, first) : at;
            llvm::Align own = llvm::commonAlignment(aligned, uint64_t(first) * memory->getScalarSizeInBits() / 8);
            parts.push_back(
                tag(builder_.CreateMaskedLoad(part, from, own, on, llvm::Constant::getNullValue(part)), load.buffer));
        });
        loaded = llvm::concatenateVectors(builder_, parts);
        if (result.lanes == 1) loaded = builder_.CreateExtractElement(loaded, uint64_t(0));
    }
    bind(load.result, loaded);
}

void KernelEmitter::emit(const Store& store) {
    ValueType stored = type_of(store.value);
    if (auto on = known_lanes(store.mask, stored.lanes)) return store_lanes(store, *on);
    llvm::Value* content = value(store.value);
    llvm::Value* at = address(store.buffer, store.element);
    llvm::Align aligned = align(store.buffer, store.element, stored.lanes == 1 ? 1 : store.stride);
    llvm::Value* mask = store.mask == no_value ? nullptr : value(store.mask);
    if (stored.lanes > 1 && store.stride != 1) {
        at = builder_.CreateGEP(content->getType()->getScalarType(), at, lane_offsets(stored.lanes, store.stride));
        tag(builder_.CreateMaskedScatter(content, at, aligned, mask), store.buffer);
    } else if (mask) {
        if (stored.lanes == 1) {
            content = builder_.CreateVectorSplat(1, content);
            mask = builder_.CreateVectorSplat(1, mask);
        }
        for_each_part(builder_, machine_, content->getType(), mask, [&](int first, int count, llvm::Value* on) {
            llvm::Type* each = content->getType()->getScalarType();
            llvm::Value* part =
                count == stored.lanes ? content : builder_.CreateShuffleVector(content, counting(first, first + count));
            llvm::Value* to = first ? builder_.CreateConstInBoundsGEP1_64(each, at, first) : at;
            llvm::Align own = llvm::commonAlignment(aligned, uint64_t(first) * each->getScalarSizeInBits() / 8);
            tag(builder_.CreateMaskedStore(part, to, own, on), store.buffer);
        });
    } else {
        tag(builder_.CreateAlignedStore(content, at, aligned), store.buffer);
    }
}

void KernelEmitter::emit(const Prefetch& prefetch) {
    if (inlining_) return;
    llvm::Value* at = address(prefetch.buffer, prefetch.element);
    llvm::Value* arguments[] = {at, builder_.getInt32(prefetch.for_write), builder_.getInt32(3),
                                builder_.getInt32(1)}; // 3: keep in every cache; 1: data
    builder_.CreateIntrinsic(llvm::Intrinsic::prefetch, {at->getType()}, arguments);
}

} // namespace gradc::target
