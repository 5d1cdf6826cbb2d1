// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Statements, loops and buffers. memory.cpp has loads and stores, operation.cpp has operations.
#include "compiler/target/llvm/kernel.h"
#include "compiler/target/llvm/divisor.h"
#include <llvm/IR/Constants.h>

namespace gradc::target {

using namespace loop;

KernelEmitter::KernelEmitter(llvm::Module& target, const loop::Module& module, const Kernel& kernel,
                             const Machine& machine)
    : target_(target), module_(module), kernel_(kernel), machine_(machine), builder_(target.getContext()),
      values_(kernel.types.size()), depths_(kernel.types.size()), divisors_(divisors(kernel)) {}

llvm::Function* start_function(llvm::Module& target, const Machine& machine, const std::string& symbol,
                               llvm::ArrayRef<llvm::Type*> arguments, llvm::Type* result) {
    llvm::LLVMContext& context = target.getContext();
    auto* signature = llvm::FunctionType::get(result, arguments, false);
    auto* made = llvm::Function::Create(signature, llvm::GlobalValue::ExternalLinkage, symbol, target);
    made->setVisibility(llvm::GlobalValue::HiddenVisibility);
    made->setDSOLocal(true);
    for (unsigned pointer_argument : {0u, 1u}) {
        made->addParamAttr(pointer_argument, llvm::Attribute::NoAlias);
        made->addParamAttr(pointer_argument, llvm::Attribute::NoUndef);
    }
    made->addParamAttr(0, llvm::Attribute::getWithAlignment(context, llvm::Align(64)));
    made->addParamAttr(1, llvm::Attribute::getWithAlignment(context, llvm::Align(8)));
    made->addFnAttr(llvm::Attribute::NoUnwind);
    made->addFnAttr(llvm::Attribute::NoRecurse);
    made->addFnAttr("target-cpu", llvm::StringRef(machine.llvm_cpu));
    // x86-64-v4 is tuned for 256 bits; vectors here are as wide as the machine's registers.
    made->addFnAttr("prefer-vector-width", std::to_string(8 * machine.vector_bytes));
    return made;
}

llvm::Function* KernelEmitter::run(const std::string& symbol) {
    start(symbol);
    make_scopes();
    number_depths(kernel_.body, 0);
    emit(kernel_.body);
    builder_.CreateRetVoid();
    return function_;
}

void KernelEmitter::run(Inlining& inlining) {
    inlining_ = &inlining;
    function_ = inlining.function;
    builder_.SetInsertPoint(inlining.block);
    scopes_.resize(module_.buffers.size()); // buffers outside the arena need none
    number_depths(kernel_.body, 0);
    emit(kernel_.body);
    inlining.block = builder_.GetInsertBlock();
}

void KernelEmitter::start(const std::string& symbol) {
    llvm::LLVMContext& context = target_.getContext();
    llvm::Type *pointer = builder_.getPtrTy(), *integer = builder_.getInt64Ty();
    function_ =
        start_function(target_, machine_, symbol, {pointer, pointer, pointer, integer, integer}, builder_.getVoidTy());
    const char* names[] = {"arena", "sizes", "arguments", "begin", "end"};
    for (llvm::Argument& argument : function_->args()) argument.setName(names[argument.getArgNo()]);
    for (unsigned read_only : {1u, 2u}) function_->addParamAttr(read_only, llvm::Attribute::ReadOnly);
    function_->addParamAttr(2, llvm::Attribute::NoAlias);
    builder_.SetInsertPoint(llvm::BasicBlock::Create(context, "entry", function_));
}

void KernelEmitter::number_depths(const Body& body, int depth) {
    for (const Statement& statement : body) {
        if (auto* define = std::get_if<Define>(&statement.node)) depths_[define->result] = depth;
        if (auto* load = std::get_if<Load>(&statement.node)) depths_[load->result] = depth;
        if (auto* branch = std::get_if<If>(&statement.node)) {
            number_depths(branch->then, depth);
            number_depths(branch->otherwise, depth);
        }
        if (auto* loop = std::get_if<Loop>(&statement.node)) {
            depths_[loop->index] = depth + 1;
            for (const Carried& carried : loop->carried) {
                depths_[carried.phi] = depth + 1;
                depths_[carried.result] = depth;
            }
            number_depths(loop->body, depth + 1);
        }
    }
}

void KernelEmitter::bind(ValueId id, llvm::Value* value) {
    values_[id] = value;
    if (id < kernel_.names.size() && !kernel_.names[id].empty() && !llvm::isa<llvm::Constant>(value) &&
        !llvm::isa<llvm::Argument>(value) && !value->hasName())
        value->setName(kernel_.names[id]);
}

void KernelEmitter::emit(const Body& body) {
    for (const Statement& statement : body) std::visit([&](const auto& node) { emit(node); }, statement.node);
}

void KernelEmitter::emit(const Define& define) { bind(define.result, operation(define)); }

/// Iterations of a loop with known bounds; -1 otherwise.
int64_t KernelEmitter::iterations(const Loop& loop) const {
    if (!values_[loop.begin] || !values_[loop.end]) return -1; // defined in a body that is not emitted yet
    auto* begin = llvm::dyn_cast<llvm::ConstantInt>(values_[loop.begin]);
    auto* end = llvm::dyn_cast<llvm::ConstantInt>(values_[loop.end]);
    if (!begin || !end) return -1;
    int64_t length = end->getSExtValue() - begin->getSExtValue();
    return std::max<int64_t>(0, (length + loop.step - 1) / loop.step);
}

/// Statements of a body with its loops unrolled completely; `most_unrolled` + 1: more than that, or not known.
int64_t KernelEmitter::written_out(const Body& body) const {
    int64_t sum = 0;
    for (const Statement& statement : body) {
        sum += 1;
        if (auto* branch = std::get_if<If>(&statement.node))
            sum += written_out(branch->then) + written_out(branch->otherwise);
        if (auto* loop = std::get_if<Loop>(&statement.node)) {
            int64_t count = iterations(*loop), inside = count == 0 ? 0 : written_out(loop->body);
            bool long_one = count < 0 || (inside > 0 && count > most_unrolled / inside);
            sum += long_one ? most_unrolled + 1 : count * inside;
        }
        if (sum > most_unrolled) return most_unrolled + 1;
    }
    return sum;
}

/// False unless the kernel stands inside another function, the loop's length is known, and it is short.
bool KernelEmitter::unroll(const Loop& loop) {
    int64_t count = inlining_ ? iterations(loop) : -1;
    if (count < 0 || (count > 1 && count * written_out(loop.body) > most_unrolled)) return false;
    auto* begin = llvm::cast<llvm::ConstantInt>(value(loop.begin));
    auto* end = llvm::cast<llvm::ConstantInt>(value(loop.end));
    std::vector<llvm::Value*> carried;
    for (const Carried& one : loop.carried) carried.push_back(value(one.initial));
    for (int64_t at = begin->getSExtValue(); at < end->getSExtValue(); at += loop.step) {
        values_[loop.index] = builder_.getInt64(uint64_t(at));
        for (size_t i = 0; i < carried.size(); ++i) values_[loop.carried[i].phi] = carried[i];
        emit(loop.body);
        for (size_t i = 0; i < carried.size(); ++i) carried[i] = value(loop.carried[i].next);
    }
    for (size_t i = 0; i < carried.size(); ++i) values_[loop.carried[i].result] = carried[i];
    return true;
}

/// The test is at the bottom, behind one guard at the top, so that what does not change can
/// leave the loop.
void KernelEmitter::emit(const Loop& loop) {
    if (unroll(loop)) return;
    llvm::LLVMContext& context = target_.getContext();
    llvm::Value *begin = value(loop.begin), *end = value(loop.end);
    llvm::BasicBlock* before = builder_.GetInsertBlock();
    auto* body = llvm::BasicBlock::Create(context, loop.name.empty() ? "loop" : loop.name, function_);
    auto* after = llvm::BasicBlock::Create(context, "after", function_);
    builder_.CreateCondBr(builder_.CreateICmpSLT(begin, end), body, after);

    builder_.SetInsertPoint(body);
    auto* index = builder_.CreatePHI(builder_.getInt64Ty(), 2, loop.name);
    index->addIncoming(begin, before);
    values_[loop.index] = index;
    std::vector<llvm::PHINode*> inside, results;
    for (const Carried& carried : loop.carried) {
        inside.push_back(builder_.CreatePHI(type(type_of(carried.phi)), 2));
        inside.back()->addIncoming(value(carried.initial), before);
        bind(carried.phi, inside.back());
    }
    if (!inlining_) walks_.push_back({loop.index, loop.step, begin, index, before, {}, {}});
    emit(loop.body);
    llvm::BasicBlock* latch = builder_.GetInsertBlock();
    llvm::Value* next = builder_.CreateAdd(index, builder_.getInt64(uint64_t(loop.step)), "", false, true);
    index->addIncoming(next, latch);
    close_walk(latch);
    for (size_t i = 0; i < inside.size(); ++i) inside[i]->addIncoming(value(loop.carried[i].next), latch);
    auto* back = builder_.CreateCondBr(builder_.CreateICmpSLT(next, end), body, after);
    auto* keep = llvm::MDNode::get(context, llvm::MDString::get(context, "llvm.loop.unroll.disable"));
    auto* hint = llvm::MDNode::getDistinct(context, {nullptr, keep});
    hint->replaceOperandWith(0, hint);
    back->setMetadata(llvm::LLVMContext::MD_loop, hint);

    builder_.SetInsertPoint(after);
    for (size_t i = 0; i < inside.size(); ++i) {
        const Carried& carried = loop.carried[i];
        auto* result = builder_.CreatePHI(inside[i]->getType(), 2);
        result->addIncoming(value(carried.initial), before);
        result->addIncoming(value(carried.next), latch);
        bind(carried.result, result);
    }
}

void KernelEmitter::emit(const If& branch) {
    llvm::LLVMContext& context = target_.getContext();
    auto* then = llvm::BasicBlock::Create(context, "then", function_);
    auto* otherwise = llvm::BasicBlock::Create(context, "else", function_);
    auto* after = llvm::BasicBlock::Create(context, "after", function_);
    builder_.CreateCondBr(value(branch.condition), then, otherwise);
    builder_.SetInsertPoint(then);
    emit(branch.then);
    builder_.CreateBr(after);
    builder_.SetInsertPoint(otherwise);
    emit(branch.otherwise);
    builder_.CreateBr(after);
    builder_.SetInsertPoint(after);
}

llvm::Type* KernelEmitter::dtype_type(Dtype dtype) const {
    llvm::LLVMContext& context = target_.getContext();
    switch (dtype) {
    case Dtype::f32: return llvm::Type::getFloatTy(context);
    case Dtype::f64: return llvm::Type::getDoubleTy(context);
    case Dtype::bf16: return llvm::Type::getInt16Ty(context); // bits; loaded, stored, converted only
    case Dtype::i32: return llvm::Type::getInt32Ty(context);
    case Dtype::i64: return llvm::Type::getInt64Ty(context);
    case Dtype::u8: return llvm::Type::getInt8Ty(context);
    case Dtype::boolean: break;
    }
    return llvm::Type::getInt1Ty(context);
}

llvm::Type* KernelEmitter::type(ValueType type) const {
    llvm::Type* dtype = dtype_type(type.dtype);
    if (type.lanes == 1) return dtype;
    return llvm::FixedVectorType::get(dtype, unsigned(type.lanes));
}

llvm::Type* KernelEmitter::like(llvm::Type* shape, llvm::Type* dtype) const {
    auto* vector = llvm::dyn_cast<llvm::FixedVectorType>(shape);
    return vector ? llvm::FixedVectorType::get(dtype, vector->getNumElements()) : dtype;
}

} // namespace gradc::target
