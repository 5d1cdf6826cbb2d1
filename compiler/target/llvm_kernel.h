// One kernel of the loop IR as one LLVM function. Statements keep their order; what LLVM's passes
// then do is hoisting and folding only. Distinct buffers that share no byte carry noalias scopes;
// addresses are built outermost term first, so that all but the last step of each leaves the inner
// loops.
#pragma once
#include "compiler/program/program.h"
#include "compiler/target/machine.h"
#include <llvm/IR/IRBuilder.h>
#include <llvm/IR/Module.h>

namespace gradc::target {

class KernelEmitter {
public:
    KernelEmitter(llvm::Module& target, const loop::Module& module, const loop::Kernel& kernel,
                  const Machine& machine);
    llvm::Function* run(const std::string& symbol);

private:
    // llvm_kernel.cpp: statements
    void start(const std::string& symbol);
    void number_depths(const loop::Body& body, int depth);
    void emit(const loop::Body& body);
    void emit(const loop::Define& define);
    void emit(const loop::Comment&) {}
    void emit(const loop::Loop& loop);
    void emit(const loop::If& branch);
    void bind(loop::ValueId id, llvm::Value* value);

    // llvm_memory.cpp
    void emit(const loop::Load& load);
    void emit(const loop::Store& store);
    void emit(const loop::Prefetch& prefetch);
    void make_scopes();
    llvm::Value* address(loop::BufferId buffer, const loop::Affine& element, int64_t shift = 0);
    llvm::Align align(loop::BufferId buffer, const loop::Affine& element, int64_t stride) const;
    template <class Access> Access* tag(Access* access, loop::BufferId buffer);
    llvm::Value* load_strided(const loop::Load& load, llvm::Type* memory);
    llvm::Value* lane_offsets(int lanes, int64_t stride);

    // llvm_operation.cpp
    llvm::Value* operation(const loop::Define& define);
    llvm::Value* leaf(const loop::Define& define);
    llvm::Value* float_arithmetic(loop::Operation operation, llvm::ArrayRef<llvm::Value*> operands);
    llvm::Value* whole_arithmetic(loop::Operation operation, llvm::ArrayRef<llvm::Value*> operands,
                                  bool with_sign);
    llvm::Value* rounded_down(loop::Operation operation, llvm::Value* a, llvm::Value* b,
                              bool with_sign);
    llvm::Value* compare(loop::Operation operation, llvm::Value* a, llvm::Value* b,
                         loop::ValueType type);
    llvm::Value* lane_operation(const loop::Define& define);
    llvm::Value* reduce(loop::Operation operation, llvm::Value* vector, loop::ValueType type);
    llvm::Value* floor_without_instruction(llvm::Value* a);
    llvm::Value* multiply_high(llvm::Value* a, llvm::Value* b);
    llvm::Value* convert(llvm::Value* value, loop::ValueType from, loop::ValueType to);
    llvm::Value* to_bf16(llvm::Value* value);
    llvm::Value* from_bf16(llvm::Value* value);

    llvm::Type* element_type(Element element) const;
    llvm::Type* type(loop::ValueType type) const;
    llvm::Type* like(llvm::Type* shape, llvm::Type* element) const; // element with shape's lanes
    loop::ValueType type_of(loop::ValueId id) const { return kernel_.types[id]; }
    llvm::Value* value(loop::ValueId id) const { return values_[id]; }

    llvm::Module& target_;
    const loop::Module& module_;
    const loop::Kernel& kernel_;
    const Machine& machine_;
    llvm::IRBuilder<> builder_;
    llvm::Function* function_ = nullptr;
    std::vector<llvm::Value*> values_; // by ValueId
    std::vector<int> depths_;          // by ValueId: loops around its definition
    std::vector<int64_t> divisors_;    // by ValueId
    struct Scope {
        llvm::MDNode *own = nullptr, *others = nullptr;
    };
    std::vector<Scope> scopes_; // by BufferId; only those that the kernel touches
};

} // namespace gradc::target
