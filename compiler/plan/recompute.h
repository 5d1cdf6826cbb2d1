// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Rematerialization: a value of the forward pass is dropped after its last reader there, and computed again before its
// next reader, by a repeat of its kernel or of a part of it. All sizes are bytes.
//
// Values are tried in the order of bytes saved per operation, earlier ones first. A value is dropped only if no step
// rises above the budget because of it. The values that stay are the checkpoints; in a chain of equal layers there is
// about one for every sqrt(n) layers.
#pragma once
#include "compiler/plan/live_ranges.h"
#include "compiler/plan/repeats.h"

namespace gradc {

/// Searches which values of one program to drop and compute again.
class Recomputation {
public:
    /// All that is given must outlive it. `accesses` by kernel of the program.
    Recomputation(const ProgramPlan&, const std::vector<loop::Buffer>&, const std::vector<KernelAccesses>& accesses,
                  int64_t batch);

    struct Choice {
        std::vector<FusedKernel> repeats; // their numbers follow those of the program's kernels
        std::vector<loop::Step> table;
        std::vector<KernelAccesses> accesses; // of the program's kernels and these
    };
    /// A choice with at most `bytes` live at every step; nullopt if none was found.
    std::optional<Choice> within(int64_t bytes);
    /// The choice with the smallest peak found between `too_few` and `enough` bytes.
    Choice smallest(int64_t too_few, int64_t enough);

private:
    struct Item { // of the table: a kernel, a whole loop, or a guard
        size_t begin, end;
        std::vector<size_t> reads, writes; // buffers
    };
    struct Value {                         // by buffer
        std::optional<size_t> made;        // the item that alone writes it, if that is a kernel
        std::vector<size_t> uses;          // items that read it, ascending
        std::vector<size_t> written = {};  // items that write it, ascending
        std::vector<size_t> reads = {};    // the buffers that it is computed from
        size_t gap_begin = 0, gap_end = 0; // the longest range of items without a use
        double saving = 0;                 // bytes per operation
        size_t last() const { return uses.empty() ? *made : uses.back(); }
    };
    struct Trial {
        std::vector<loop::Step> table; // kernels of the program, then all of repeats_
        std::vector<int64_t> bytes;    // by item: the most that lives at one of its steps
        int64_t excess(int64_t most) const;
    };
    void note_items();
    void note_values();
    bool find_gap(Value&, const Repeats::Part&) const;
    bool postponable(const Value&) const;
    void note_candidate(size_t buffer, const Repeats::Part&);
    bool unchanged(const Repeats::Part&, size_t made, size_t now) const;
    Trial trial(const std::vector<bool>& dropped);
    static bool improves(const Trial& before, const Trial& after, int64_t most);
    bool covers_excess(size_t buffer, const Trial& now, int64_t most) const;
    void drop(size_t buffer, int levels, std::vector<bool>& dropped) const;
    bool drop_all(std::vector<bool>& dropped, Trial& now, int64_t most, int levels);
    Trial descend(std::vector<bool>& dropped, int64_t most);
    void keep_again(std::vector<bool>& dropped, Trial& now, int64_t most);
    Choice chosen(const Trial&) const;

    class Scheduler;

    const ProgramPlan& program_;
    const std::vector<loop::Buffer>& buffers_;
    std::vector<KernelAccesses> accesses_; // of the program's kernels, then of all repeats so far
    Repeats repeats_;
    std::vector<Item> items_;
    std::vector<Value> values_;
    size_t loss_ = 0;                // the item that tests the loss; 0: none
    std::vector<size_t> candidates_; // buffers, the best first
    std::vector<bool> cheap_;        // by buffer: never kept if only repeats read it
};

} // namespace gradc
