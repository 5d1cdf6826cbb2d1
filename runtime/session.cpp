// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// The arena as a mapping of its own, and the calls of programs with their scalars.
#include "runtime/session.h"
#include "runtime/base/dtype.h"
#include "runtime/base/isa.h"
#include "runtime/base/tensor.h"
#include "runtime/base/text.h"
#include <sys/mman.h>

namespace gradc::runtime {

static constexpr size_t page = 4096;

Arena::~Arena() {
    if (base_) munmap(base_ - fence_, size_ + 2 * fence_);
}

/// A separate mapping that the kernel does not join with its neighbors: a large arena is aligned to huge pages, a small
/// one has an inaccessible page on each side.
bool Arena::allocate(int64_t bytes, Error& error) {
    size_ = (size_t(bytes > 0 ? bytes : 64) + page - 1) / page * page;
    bool large = size_ >= (4 << 20);
    fence_ = large ? 0 : page;
    void* memory = mmap(nullptr, size_ + 2 * fence_, large ? PROT_READ | PROT_WRITE : PROT_NONE,
                        MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    bool given = memory != MAP_FAILED;
    unsigned char* base = given ? static_cast<unsigned char*>(memory) + fence_ : nullptr;
    if (given && !large) given = mprotect(base, size_, PROT_READ | PROT_WRITE) == 0;
    if (!given) {
        return error.fail("this model needs ", byte_size(double(bytes)),
                          " of memory, which this machine does not have");
    }
    base_ = base;
    if (large) madvise(memory, size_, MADV_HUGEPAGE);
    return true;
}

bool Session::start(int isa, int threads, int64_t seed, Error& error) {
    const gradc_module& module = *module_;
    if (module.abi_version != GRADC_ABI_VERSION) {
        return error.fail_as(internal_error, "the model's code has ABI ", module.abi_version, ", this runtime ",
                             GRADC_ABI_VERSION);
    }
    if (!arena_.allocate(module.arena_bytes, error)) return false;
    place_constants(module, arena_.base());
    options_.isa = isa;
    options_.flush_denormals = module.flush_denormals != 0;
    if (threads > 1) pool_.emplace(threads, options_.flush_denormals);
    options_.pool = pool_ ? &*pool_ : nullptr;
    seed_ = seed;
    rows_ = find_tensor(module, GRADC_SCALAR, "rows");
    seed_tensor_ = find_tensor(module, GRADC_SCALAR, "seed");
    step_ = find_tensor(module, GRADC_SCALAR, "step");
    steps_ = find_tensor(module, GRADC_SCALAR, "steps");
    epoch_ = find_tensor(module, GRADC_SCALAR, "epoch");
    for (int32_t b = 0; b < module.block_count; b++) {
        const gradc_block& block = module.blocks[b];
        for (int32_t f = 0; f < block.flag_count; f++) {
            flags_.push_back({&module.tensors[block.flags[f].scalar], block.flags[f].value});
        }
    }
    return true;
}

void Session::set_flag(const gradc_flag& flag, double value) {
    for (Written& written : flags_) {
        if (written.tensor == &module_->tensors[flag.scalar]) written.value = value;
    }
}

double Session::flag(const gradc_flag& flag) const {
    for (const Written& written : flags_) {
        if (written.tensor == &module_->tensors[flag.scalar]) return written.value;
    }
    return flag.value;
}

void Session::write_scalars(int64_t rows, const Clock& clock) {
    auto write = [this](const gradc_tensor* tensor, double value) {
        if (tensor) store_element(arena_.base() + tensor->offset, tensor->dtype, value);
    };
    write(rows_, double(rows));
    write(seed_tensor_, double(seed_));
    write(step_, clock.step);
    write(steps_, clock.steps);
    write(epoch_, clock.epoch);
    for (const Written& flag : flags_) write(flag.tensor, flag.value);
}

Walk Session::run(int32_t program, int64_t rows, const Clock& clock, bool guard) {
    write_scalars(rows, clock);
    options_.guard = guard;
    return walk(*module_, module_->programs[program], arena_.base(), rows, options_);
}

int64_t Session::run_steps(int32_t program, int64_t rows, const Clock& clock, gradc_multi_step& multi_step) {
    write_scalars(rows, clock);
    FlushDenormals flushing(options_.flush_denormals);
    return module_->programs[program].steps[options_.isa](arena_.base(), &multi_step);
}

void Session::initialize() { run(module_->initial, 1, {}); }

void Session::clear_accumulators() {
    for (int32_t t = 0; t < module_->tensor_count; t++) {
        if (module_->tensors[t].role == GRADC_ACCUMULATOR) clear_tensor(module_->tensors[t], arena_.base());
    }
}

const gradc_tensor* Session::result(int32_t program, std::string_view name) const {
    if (program < 0) return nullptr;
    const gradc_program& of = module_->programs[program];
    for (int32_t r = 0; r < of.result_count; r++) {
        if (name == module_->tensors[of.results[r]].name) return &module_->tensors[of.results[r]];
    }
    return nullptr;
}

double Session::scalar(const gradc_tensor& tensor) const {
    return load_element(arena_.base() + tensor.offset, tensor.dtype);
}

} // namespace gradc::runtime
