// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// From graphs to a plan: which nodes share a kernel, in which order kernels run, and the address of every buffer. A
// plan is the same for every target; lowering chooses vector widths and tiles (compiler/program/lower.h).
//
// A kernel iterates over its `space`, the leading axes that its members share. For each point of the space it runs its
// stages in order; each is a loop nest over `inner`. A softmax over [N, C] has the space [N] and stages over [C] for
// the maximum, the sum and the result. The space of a product is its whole result; its other members use the finished
// sums.
#pragma once
#include "compiler/plan/buffer.h"
#include "compiler/plan/flat.h"
#include "compiler/plan/index.h"
#include <map>

namespace gradc {

/// One program to plan.
struct NamedGraph {
    std::string name; // "train.step"
    Graph graph;
    bool once = false; // runs rarely: lowered for the baseline only
};

/// Options of make_plan. Sizes are bytes.
struct PlanOptions {
    std::string name;  // of the module
    int64_t batch = 1; // largest number of rows of a step
    /// False: every node except views has its own kernel and its own memory, as in an interpreter. For comparisons.
    bool fuse = true;
    /// Budget of the arena in bytes: values are recomputed where storing them would exceed it. 0: no budget.
    int64_t memory = 0;
};

/// Element (i0, i1, ..) of a node lies at the sum of index * stride, plus iteration * coefficient for each pair (depth,
/// coefficient) of `iterations`.
/// With panel = W > 0 the last two axes [K, N] lie as [ceil(N/W)][K][W] (see loop::Buffer) and have no strides here.
struct Storage {
    loop::BufferId buffer = 0;
    std::vector<int64_t> strides;
    std::vector<std::pair<int, int64_t>> iterations = {};
    int64_t panel = 0, depth = 0; // W and K
    friend bool operator==(const Storage&, const Storage&) = default;
};

/// Where element `at` lies in the buffer, in elements, without the part of `iterations`.
Index linear_index(const Storage&, const Position& at, Indices&);

/// A node that a kernel computes, and where it stores the value.
struct Member {
    NodeId node;
    bool copies = false;              // reads the stored value of the node and stores it again
    std::vector<Storage> stores = {}; // empty: used only inside the kernel
    std::optional<Storage> from = {}; // copies: read here, not at the node's own place
};
/// Members that share one loop nest below the space of their kernel.
struct Stage {
    Shape inner; // iteration below the kernel's space
    std::vector<Member> members;
};
/// Members that run in one kernel.
struct FusedKernel {
    enum class Kind : uint8_t { nest, product, scatter } kind = Kind::nest;
    std::string name; // a C identifier, unique in its program
    int region = 0;
    Shape space;
    std::vector<Stage> stages; // product: one, its first member the contraction
    /// The kernel of the same program that this one repeats, in part or whole. It has the same vectors: the same bits.
    std::optional<uint32_t> repeats = {};
    /// Buffers that this kernel finds in another one of the same type, because the value was computed again there.
    std::map<loop::BufferId, loop::BufferId> moved = {};
};

/// The plan of one program. Buffers are numbers of Plan::buffers.
struct ProgramPlan {
    std::string name;
    Flat flat;
    std::vector<FusedKernel> kernels;
    std::vector<loop::Step> table;
    std::vector<std::optional<Storage>> places; // by node of flat.graph: where to read it, if it is stored
    std::vector<loop::Result> results;
    bool once = false;
    int64_t steps = 0; // elementary steps of planning
};

/// By node: true if a kernel computes and stores it.
std::vector<bool> stored_members(const ProgramPlan&);

struct MemoryParts { // bytes
    int64_t variables = 0, fields = 0, results = 0, constants = 0, activations = 0;
};

/// The plan of all programs of a trainer. It owns the buffers that they share.
struct Plan {
    std::string name;
    int64_t batch = 1;
    std::vector<loop::Buffer> buffers;
    std::vector<ProgramPlan> programs;
    int64_t arena_bytes = 0;
    MemoryParts parts;
    int64_t least = 0; // lower bound of the arena: shared buffers, and the most that lives at one step of a program
    int64_t steps = 0; // elementary steps of planning; tests hold their growth to n log n
    int64_t kept = 0;  // bytes of activations that the forward pass keeps for the backward pass
};

/// If the budget cannot be met, `arena_bytes` is the smallest peak that was found, above `options.memory`.
Plan make_plan(std::vector<NamedGraph> graphs, const PlanOptions& options);

/// The plan as text: kernels in order with what they compute, buffers with addresses.
std::string print(const Plan&);

} // namespace gradc
