// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// One kernel of the loop IR as one LLVM function. Statements keep their order; LLVM's passes hoist and
// fold them only. Buffers that do not overlap carry noalias scopes. An address in a loop is a pointer
// that each iteration advances, shared by all accesses that differ by a constant. LLVM's own strength
// reduction would find the same, in a third of the compile time.
#pragma once
#include "compiler/program/program.h"
#include "compiler/target/machine.h"
#include <llvm/IR/IRBuilder.h>
#include <llvm/IR/Module.h>
#include <map>

namespace gradc::target {

/// A function that generated code exports: its first two arguments are the arena and a pointer to integers.
llvm::Function* start_function(llvm::Module& target, const Machine& machine, const std::string& symbol,
                               llvm::ArrayRef<llvm::Type*> arguments, llvm::Type* result);

/// A kernel among others inside one function: all sizes are known, buffers may lie outside the arena.
struct Inlining {
    llvm::Function* function = nullptr;
    llvm::BasicBlock* block = nullptr;                 // statements are added here, and the last block is left here
    const std::vector<llvm::Value*>* places = nullptr; // by BufferId; null: unused
    std::vector<llvm::Value*> iterations;              // of the table's loops, outermost first
    int64_t rows = 1;
};

class KernelEmitter {
public:
    KernelEmitter(llvm::Module& target, const loop::Module& module, const loop::Kernel& kernel, const Machine& machine);
    llvm::Function* run(const std::string& symbol);
    /// The work of the whole extent. Short loops of known length are unrolled.
    void run(Inlining& inlining);

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
    bool unroll(const loop::Loop& loop);
    int64_t iterations(const loop::Loop& loop) const;
    int64_t written_out(const loop::Body& body) const;
    static constexpr int64_t most_unrolled = 1000; // statements

    // llvm_memory.cpp
    void emit(const loop::Load& load);
    void emit(const loop::Store& store);
    void emit(const loop::Prefetch& prefetch);
    void make_scopes();
    llvm::Value* on_stack(loop::BufferId local);
    /// Number `number` of the call's arguments, read where the function begins.
    llvm::Value* argument(int64_t number);
    llvm::Value* base(loop::BufferId buffer);
    llvm::Value* address(loop::BufferId buffer, const loop::Affine& element, int64_t shift = 0);
    using Terms = std::vector<std::pair<loop::ValueId, int64_t>>; // outermost first
    llvm::Value* place(loop::BufferId buffer, Terms terms);
    llvm::Value* advance(llvm::Value* from, llvm::Value* term, int64_t bytes);
    llvm::Align align(loop::BufferId buffer, const loop::Affine& element, int64_t stride) const;
    template <class Access> Access* tag(Access* access, loop::BufferId buffer);
    llvm::Value* load_strided(const loop::Load& load, llvm::Type* memory);
    /// With the lanes known: only these are touched, one by one or as one narrower vector.
    using Lanes = std::optional<std::vector<bool>>;
    Lanes known_lanes(loop::ValueId mask, int lanes) const;
    llvm::Value* load_lanes(const loop::Load& load, llvm::Type* memory, const std::vector<bool>& on);
    void store_lanes(const loop::Store& store, const std::vector<bool>& on);
    llvm::Value* lane_offsets(int lanes, int64_t stride);

    // llvm_operation.cpp
    llvm::Value* operation(const loop::Define& define);
    llvm::Value* leaf(const loop::Define& define);
    llvm::Value* stream(const loop::Define& define);
    llvm::Value* float_arithmetic(loop::Operation operation, llvm::ArrayRef<llvm::Value*> operands);
    llvm::Value* integer_arithmetic(loop::Operation operation, llvm::ArrayRef<llvm::Value*> operands, bool with_sign);
    llvm::Value* rounded_down(loop::Operation operation, llvm::Value* a, llvm::Value* b, bool with_sign);
    llvm::Value* compare(loop::Operation operation, llvm::Value* a, llvm::Value* b, loop::ValueType type);
    llvm::Value* lane_operation(const loop::Define& define);
    llvm::Value* reduce(loop::Operation operation, llvm::Value* vector, loop::ValueType type);
    llvm::Value* estimated_root(llvm::Value* a);
    llvm::Value* floor_without_instruction(llvm::Value* a);
    llvm::Value* multiply_high(llvm::Value* a, llvm::Value* b);
    llvm::Value* convert(llvm::Value* value, loop::ValueType from, loop::ValueType to);
    llvm::Value* to_bf16(llvm::Value* value);
    llvm::Value* from_bf16(llvm::Value* value);

    llvm::Type* dtype_type(Dtype dtype) const;
    llvm::Type* type(loop::ValueType type) const;
    llvm::Type* like(llvm::Type* shape, llvm::Type* dtype) const; // element with shape's lanes
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
    std::map<loop::BufferId, llvm::AllocaInst*> locals_;
    std::vector<loop::BufferId> buffers_;          // in order of appearance: of arguments
    std::map<loop::BufferId, llvm::Value*> bases_; // those that arguments give
    std::vector<Scope> scopes_;                    // by BufferId; only those that the kernel touches
    /// A loop that is being emitted, and the addresses that go along with its index.
    struct Walk {
        loop::ValueId index = loop::no_value;
        int64_t step = 1;
        llvm::Value* begin = nullptr;
        llvm::PHINode* counter = nullptr;
        llvm::BasicBlock* before = nullptr;
        std::map<std::pair<loop::BufferId, Terms>, llvm::Value*> places;
        std::vector<std::pair<llvm::PHINode*, int64_t>> moving; // and the bytes per iteration
    };
    llvm::Value* walked(Walk& walk, loop::BufferId buffer, const Terms& terms);
    void close_walk(llvm::BasicBlock* latch);
    std::vector<Walk> walks_; // outermost first; none among others inside one function
    Inlining* inlining_ = nullptr;
};

} // namespace gradc::target
