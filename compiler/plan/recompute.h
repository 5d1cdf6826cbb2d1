// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Rematerialization: values that the forward pass would keep for the backward pass are dropped after their last reader
// and computed again before the next one, by a repeat of their kernel or of a part of it. All sizes are bytes.
//
// Values with the most bytes for the least work come first, earlier ones before later ones. Each is dropped only where no
// step comes to need more than the budget because of it. Values that stay are where the others are computed from, so a
// chain of like layers ends up with about one checkpoint for sqrt(n) layers.
#pragma once
#include "compiler/plan/live_ranges.h"
#include "compiler/plan/repeats.h"

namespace gradc {

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
    /// So that at most `bytes` live at a step; none where that was not found.
    std::optional<Choice> within(int64_t bytes);
    /// With the fewest bytes found between one number that is too few and one that is enough.
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
        std::vector<size_t> reads = {};    // what it is computed from, where all is there
        size_t gap_begin = 0, gap_end = 0; // the longest time without a use, between these two items
        double saving = 0;                 // bytes for each operation
        size_t last() const { return uses.empty() ? *made : uses.back(); }
    };
    struct Trial {
        std::vector<loop::Step> table; // kernels of the program, then all of repeats_
        std::vector<int64_t> bytes;    // that live at an item, at most
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
    size_t loss_ = 0;                // the item that tests it; 0: none does
    std::vector<size_t> candidates_; // buffers, the best first
    std::vector<bool> cheap_;        // by buffer: never kept for repeats alone
};

} // namespace gradc
