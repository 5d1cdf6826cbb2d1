// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Kernels as LLVM modules, their passes and their objects. One ISA's kernels are cut into units of
// similar size, each with an LLVM context of its own, compiled by two threads; how they are cut
// depends on the module alone.
#include "compiler/program/verify.h"
#include "compiler/target/compile.h"
#include "compiler/target/link.h"
#include "compiler/target/llvm/kernel.h"
#include "compiler/target/llvm/multi_step.h"
#include "compiler/target/llvm/table.h"
#include "compiler/target/machine.h"
#include "compiler/target/table.h"
#include "compiler/util/check.h"
#include <atomic>
#include <exception>
#include <llvm/IR/LegacyPassManager.h>
#include <llvm/IR/Verifier.h>
#include <llvm/MC/TargetRegistry.h>
#include <llvm/Passes/PassBuilder.h>
#include <llvm/Support/CommandLine.h>
#include <llvm/Support/TargetSelect.h>
#include <llvm/Target/TargetMachine.h>
#include <llvm/Transforms/InstCombine/InstCombine.h>
#include <llvm/Transforms/Scalar/EarlyCSE.h>
#include <llvm/Transforms/Scalar/GVN.h>
#include <llvm/Transforms/Scalar/LICM.h>
#include <llvm/Transforms/Scalar/SROA.h>
#include <llvm/Transforms/Scalar/SimplifyCFG.h>
#include <mutex>
#include <thread>

namespace gradc::target {

using namespace loop;

namespace {

constexpr const char* triple = "x86_64-unknown-linux-gnu";

struct Unit {
    Isa isa = Isa::baseline;
    std::vector<std::pair<const Program*, const Kernel*>> kernels;
    const Program* multi_step = nullptr; // of this program, and nothing else
};

int64_t statements(const Body& body) {
    int64_t total = int64_t(body.size());
    for (const Statement& statement : body) {
        if (auto* loop = std::get_if<Loop>(&statement.node)) total += statements(loop->body);
        if (auto* branch = std::get_if<If>(&statement.node))
            total += statements(branch->then) + statements(branch->otherwise);
    }
    return total;
}

/// Kernels in order, each code once, a new unit whenever `limit` statements are passed.
std::vector<Unit> units(const Module& module, Isa isa, int64_t limit) {
    std::vector<Unit> made;
    int64_t filled = limit;
    for (const auto& versions : module.programs) {
        const std::optional<Program>& program = versions[size_t(isa)];
        if (!program) continue;
        for (const Kernel& kernel : program->kernels) {
            if (kernel.same_as) continue;
            if (filled >= limit) made.push_back({isa, {}, nullptr}), filled = 0;
            made.back().kernels.emplace_back(&*program, &kernel);
            filled += statements(kernel.body);
        }
    }
    return made;
}

/// The steps of tiny models, each a unit.
std::vector<Unit> multi_step(const Module& module, Isa isa) {
    std::vector<Unit> made;
    for (const auto& versions : module.programs)
        if (const auto& program = versions[size_t(isa)]; program && program->multi_step)
            made.push_back({isa, {}, &*program});
    return made;
}

std::unique_ptr<llvm::TargetMachine> target_machine(const Machine& machine) {
    std::string error;
    const llvm::Target* target = llvm::TargetRegistry::lookupTarget(triple, error);
    check(target, "llvm", error);
    llvm::TargetOptions options;
    options.AllowFPOpFusion = llvm::FPOpFusion::Strict;
    std::unique_ptr<llvm::TargetMachine> made(
        target->createTargetMachine(triple, llvm::StringRef(machine.llvm_cpu), "", options, llvm::Reloc::PIC_,
                                    llvm::CodeModel::Small, llvm::CodeGenOptLevel::Default));
    check(bool(made), "llvm", "no code generator for x86-64");
    return made;
}

std::unique_ptr<llvm::Module> emit(llvm::LLVMContext& context, const Module& module, const Unit& unit) {
    auto made = std::make_unique<llvm::Module>(module.name, context);
    made->setTargetTriple(triple);
    for (auto [program, kernel] : unit.kernels)
        KernelEmitter(*made, module, *kernel, machine(unit.isa)).run(symbol(*program, *kernel, unit.isa));
    if (unit.multi_step)
        emit_multi_step(*made, module, *unit.multi_step, machine(unit.isa), steps_symbol(*unit.multi_step, unit.isa));
    return made;
}

void verify(const llvm::Module& module) {
    std::string message;
    llvm::raw_string_ostream stream(message);
    if (llvm::verifyModule(module, &stream)) throw InternalError("llvm", stream.str());
}

/// Explicit vectors need no more: what LLVM's whole pipeline adds costs twice the time and gains
/// nothing.
void optimize(llvm::Module& module, llvm::TargetMachine& machine, bool multi_step) {
    llvm::LoopAnalysisManager loops;
    llvm::FunctionAnalysisManager functions;
    llvm::CGSCCAnalysisManager calls;
    llvm::ModuleAnalysisManager modules;
    llvm::PassBuilder builder(&machine);
    builder.registerModuleAnalyses(modules);
    builder.registerCGSCCAnalyses(calls);
    builder.registerFunctionAnalyses(functions);
    builder.registerLoopAnalyses(loops);
    builder.crossRegisterProxies(loops, functions, calls, modules);
    llvm::FunctionPassManager passes;
    if (multi_step) passes.addPass(llvm::SROAPass(llvm::SROAOptions::ModifyCFG));
    passes.addPass(llvm::EarlyCSEPass());
    passes.addPass(llvm::InstCombinePass());
    if (multi_step) {
        passes.addPass(llvm::SimplifyCFGPass());
        passes.addPass(llvm::GVNPass());
        passes.addPass(llvm::InstCombinePass());
    }
    passes.addPass(llvm::createFunctionToLoopPassAdaptor(llvm::LICMPass(llvm::LICMOptions()), true));
    passes.addPass(llvm::EarlyCSEPass());
    passes.addPass(llvm::SimplifyCFGPass());
    for (llvm::Function& function : module)
        if (!function.isDeclaration()) passes.run(function, functions);
}

/// The passes of a code generator. A kernel's addresses already move with its loops (llvm_memory.cpp): to search for
/// that again would take a quarter of the compile. Whether to is a switch of LLVM's for all threads, which is looked at
/// while passes are added.
void add_passes(llvm::legacy::PassManager& passes, llvm::TargetMachine& machine, llvm::raw_pwrite_stream& stream,
                llvm::CodeGenFileType type, bool reduce_strength) {
    static std::mutex lock;
    std::lock_guard<std::mutex> guard(lock);
    auto known = llvm::cl::getRegisteredOptions().find("disable-lsr");
    if (known != llvm::cl::getRegisteredOptions().end())
        static_cast<llvm::cl::opt<bool>*>(known->second)->setValue(!reduce_strength);
    bool refused = machine.addPassesToEmitFile(passes, stream, nullptr, type);
    check(!refused, "llvm", "the code generator writes no such file");
}

std::string generate(llvm::Module& module, llvm::TargetMachine& machine, llvm::CodeGenFileType type,
                     bool reduce_strength) {
    llvm::SmallString<0> bytes;
    llvm::raw_svector_ostream stream(bytes);
    llvm::legacy::PassManager passes;
    add_passes(passes, machine, stream, type, reduce_strength);
    passes.run(module);
    return std::string(bytes);
}

void initialize() { // cheap when it was done before
    static std::mutex lock;
    std::lock_guard<std::mutex> guard(lock);
    LLVMInitializeX86TargetInfo();
    LLVMInitializeX86Target();
    LLVMInitializeX86TargetMC();
    LLVMInitializeX86AsmPrinter();
}

std::string compile(const Module& module, const Unit& unit, llvm::CodeGenFileType type, bool names) {
    llvm::LLVMContext context;
    context.setDiscardValueNames(!names);
    std::unique_ptr<llvm::TargetMachine> target = target_machine(machine(unit.isa));
    std::unique_ptr<llvm::Module> made = emit(context, module, unit);
    made->setDataLayout(target->createDataLayout());
    verify(*made);
    optimize(*made, *target, unit.multi_step != nullptr);
    return generate(*made, *target, type, unit.multi_step != nullptr);
}

std::string compile_table(const Module& module, const Metadata& metadata) {
    llvm::LLVMContext context;
    std::unique_ptr<llvm::TargetMachine> target = target_machine(machine(Isa::baseline));
    llvm::Module made(module.name + ".table", context);
    made.setTargetTriple(triple);
    made.setDataLayout(target->createDataLayout());
    made.setPICLevel(llvm::PICLevel::BigPIC);
    emit_table(made, module, make_table(module, metadata));
    verify(made);
    return generate(made, *target, llvm::CodeGenFileType::ObjectFile, false);
}

/// Runs work(0) .. work(count - 1) on two threads; the first exception is thrown again here.
template <class Work> void on_two_threads(size_t count, const Work& work) {
    std::atomic<size_t> next{0};
    std::exception_ptr failures[2];
    auto worker = [&](int number) {
        try {
            for (size_t i = next++; i < count; i = next++) work(i);
        } catch (...) {
            failures[number] = std::current_exception();
        }
    };
    std::thread second(worker, 1);
    worker(0);
    second.join();
    for (const std::exception_ptr& failure : failures)
        if (failure) std::rethrow_exception(failure);
}

} // namespace

std::string print_llvm(const Module& module, Isa isa) {
    loop::verify(module);
    llvm::LLVMContext context;
    std::string text;
    llvm::raw_string_ostream stream(text);
    for (const Unit& unit : units(module, isa, INT64_MAX)) {
        std::unique_ptr<llvm::Module> made = emit(context, module, unit);
        verify(*made);
        made->print(stream, nullptr);
    }
    return stream.str();
}

std::string print_assembly(const Module& module, Isa isa) {
    loop::verify(module);
    initialize();
    std::string text;
    for (const Unit& unit : units(module, isa, INT64_MAX))
        text += compile(module, unit, llvm::CodeGenFileType::AssemblyFile, true);
    for (const Unit& unit : multi_step(module, isa))
        text += compile(module, unit, llvm::CodeGenFileType::AssemblyFile, true);
    return text;
}

std::string object(const Module& module, const Metadata& metadata) {
    loop::verify(module);
    initialize();
    std::vector<Unit> work;
    for (int isa = 0; isa < isa_count; ++isa) {
        for (Unit& unit : multi_step(module, Isa(isa))) work.push_back(std::move(unit)); // long ones first
        for (Unit& unit : units(module, Isa(isa), 1500)) work.push_back(std::move(unit));
    }
    std::vector<std::string> objects(work.size() + 1);
    on_two_threads(objects.size(), [&](size_t i) {
        objects[i] = i == work.size() ? compile_table(module, metadata)
                                      : compile(module, work[i], llvm::CodeGenFileType::ObjectFile, false);
    });
    return join_objects(objects);
}

} // namespace gradc::target
