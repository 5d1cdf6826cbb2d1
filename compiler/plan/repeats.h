// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Parts of kernels that run again. A part contains the members that some values need and that cannot be read from
// memory. Each member stays in its stage and its loops, so it gets the same bits.
#pragma once
#include "compiler/plan/live_ranges.h"
#include <functional>
#include <map>
#include <set>

namespace gradc {

/// The repeats of one program's kernels, numbered from 0.
class Repeats {
public:
    Repeats(const ProgramPlan&, const std::vector<loop::Buffer>&, int64_t batch);

    struct Part {
        std::vector<std::pair<size_t, bool>> members; // numbers through all stages, ascending; whether each is stored
        std::vector<size_t> writes, reads;            // buffers
        double operations = 0;                        // approximate
    };
    /// The part of a kernel that computes `buffer`. `there(b)`: buffer b can be read now. `wanted(b)`: buffer b has
    /// later readers, so the part stores it if it computes it.
    Part part(uint32_t kernel, size_t buffer, const std::function<bool(size_t)>& there,
              const std::function<bool(size_t)>& wanted);
    /// Number of this repeat among all so far. A new one appends its accesses to `accesses`.
    size_t number(uint32_t kernel, const Part&, std::vector<KernelAccesses>& accesses);
    const FusedKernel& operator[](size_t number) const { return all_[number]; }

private:
    struct Need {
        std::optional<size_t> member; // of the same kernel
        std::optional<size_t> buffer; // where it is stored
        bool in_register = false;     // read at the same point where it is computed
    };
    struct Computed {
        size_t stage = 0, place = 0;  // Stage::members[place]
        std::optional<size_t> buffer; // where others read it
        std::vector<Need> needs;
        double operations = 0;
    };
    std::optional<size_t> buffer_of(const Member&) const;
    const std::vector<Computed>& anatomy(uint32_t kernel);
    std::vector<Need> needs(const FusedKernel&, const Computed&, const std::vector<bool>& apart,
                            const std::unordered_map<NodeId, size_t>& known, const std::vector<Computed>& all) const;
    FusedKernel built(uint32_t kernel, const Part&);

    const ProgramPlan& program_;
    const std::vector<loop::Buffer>& buffers_;
    int64_t batch_;
    std::vector<bool> stored_; // by node
    std::unordered_map<uint32_t, std::vector<Computed>> anatomies_;
    std::map<std::pair<uint32_t, std::vector<std::pair<size_t, bool>>>, size_t> numbers_;
    std::vector<FusedKernel> all_;
    std::set<std::string> names_; // of kernels
};

} // namespace gradc
