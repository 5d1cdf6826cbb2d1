// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// From graphs to a plan: which nodes are computed together in one kernel, in which order, and where every number lies.
// A plan is the same for every target; widths and tiles come when it is lowered (compiler/program/lower.h).
//
// A kernel runs over its `space` (the leading axes common to its members); below it, stages follow each other for each
// point of the space, each a loop nest over `inner`. A softmax over [N, C] is space [N] with stages over [C] for the
// largest, the sum and the result. A product's space is its whole result, its members ride on the finished sums.
#pragma once
#include "compiler/plan/buffer.h"
#include "compiler/plan/flat.h"
#include "compiler/plan/index.h"
#include <map>

namespace gradc {

struct NamedGraph {
    std::string name; // "train.step"
    Graph graph;
    bool once = false; // runs once in a while: lowered for the baseline alone, whatever the machine
};

struct PlanOptions {
    std::string name;  // of the module
    int64_t batch = 1; // most rows of a step
    /// False: each node but views is a kernel and a buffer of its own, shared with nothing, as an interpreter would
    /// run the graph; to compare with.
    bool fuse = true;
    /// Most bytes of the arena: values are computed again where keeping them would take more. 0: whatever it takes.
    int64_t memory = 0;
};

/// Element (i0, i1, ..) of a node lies at sum of index * stride, plus turn * coefficient for each (depth, coefficient).
/// With panel = W > 0 the last two axes [K, N] lie as [ceil(N/W)][K][W] (see loop::Buffer) and have no strides here.
struct Storage {
    loop::BufferId buffer = 0;
    std::vector<int64_t> strides;
    std::vector<std::pair<int, int64_t>> iterations = {};
    int64_t panel = 0, depth = 0; // W and K
    friend bool operator==(const Storage&, const Storage&) = default;
};

/// Where element `at` lies in the buffer, turns of loops left aside.
Index linear_index(const Storage&, const Position& at, Indices&);

struct Member {
    NodeId node;
    bool copies = false;              // the node's value is read where it lies and stored once more
    std::vector<Storage> stores = {}; // none: used inside the kernel only
    std::optional<Storage> from = {}; // copies: read here instead of where the node lies
};
struct Stage {
    Shape inner; // iteration below the kernel's space
    std::vector<Member> members;
};
struct FusedKernel {
    enum class Kind : uint8_t { nest, product, scatter } kind = Kind::nest;
    std::string name; // a C identifier, unique in its program
    int region = 0;
    Shape space;
    std::vector<Stage> stages; // product: one, its first member the contraction
    /// The kernel of the same program of which this computes a part once more, with the same vectors: the same bits.
    std::optional<uint32_t> repeats = {};
    /// Buffers that for this kernel lie in another one of the same form: the value was computed again there.
    std::map<loop::BufferId, loop::BufferId> moved = {};
};

struct ProgramPlan {
    std::string name;
    Flat flat;
    std::vector<FusedKernel> kernels;
    std::vector<loop::Step> table;
    std::vector<std::optional<Storage>> places; // by node of flat.graph: where to read it, if it is stored
    std::vector<loop::Result> results;
    bool once = false;
    int64_t steps = 0; // elementary ones that planning took
};

/// By node: computed by some kernel and stored.
std::vector<bool> stored_members(const ProgramPlan&);

struct MemoryParts { // bytes
    int64_t variables = 0, fields = 0, results = 0, constants = 0, activations = 0;
};

struct Plan {
    std::string name;
    int64_t batch = 1;
    std::vector<loop::Buffer> buffers;
    std::vector<ProgramPlan> programs;
    int64_t arena_bytes = 0;
    MemoryParts parts;
    int64_t least = 0; // no addresses need less: what programs share, and the most that lives at one step of one
    int64_t steps = 0; // elementary ones that planning took: what must grow little faster than the programs
    int64_t kept = 0;  // of the activations: from the forward pass for the backward one, across the test of the loss
};

/// Where the budget cannot be met, `arena_bytes` is the smallest peak that was found, above `options.memory`.
Plan make_plan(std::vector<NamedGraph> graphs, const PlanOptions& options);

/// The plan as text: kernels in order with what they compute, buffers with addresses.
std::string print(const Plan&);

} // namespace gradc
