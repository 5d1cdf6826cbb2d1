// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Kernels as LLVM modules, their passes and their objects. One ISA's functions are cut into units, each with an LLVM
// context of its own. Where to cut is decided by the content of each function alone, so that an edited model has the
// units of before but for the functions that changed.
#include "compiler/program/code.h"
#include "compiler/program/merge.h"
#include "compiler/program/verify.h"
#include "compiler/target/compile.h"
#include "compiler/target/link.h"
#include "compiler/target/llvm/kernel.h"
#include "compiler/target/llvm/multi_step.h"
#include "compiler/target/llvm/table.h"
#include "compiler/target/machine.h"
#include "compiler/target/table.h"
#include "compiler/util/check.h"
#include "compiler/util/key_bytes.h"
#include "runtime/base/hash.h"
#include "runtime/base/text.h"
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
#include <map>
#include <mutex>
#include <sched.h>
#include <thread>

namespace gradc::target {

using namespace loop;

namespace {

constexpr const char* triple = "x86_64-unknown-linux-gnu";

struct Function {
    KernelNumber number;
    const Kernel* kernel;
    std::string name;
};
struct Unit {
    Isa isa = Isa::baseline;
    std::vector<Function> functions = {};
    const Program* multi_step = nullptr; // of this program, and nothing else
    bool brief = false;                  // runs for so short a time in all that compiling it well takes longer
    std::string key = {};                // a digest of each function, one behind the other; "": none
};

constexpr int64_t large = 150; // statements of a function that is a unit by itself

/// A tenth of a millisecond, once.
bool brief(const Kernel& kernel) { return kernel.once && kernel.nanoseconds < 1e5; }

/// A hash of all that the function's code depends on.
std::string digest(const Module& module, const Kernel& kernel) {
    runtime::Hash hash;
    hash.add(brief(kernel) ? "brief" : "");
    hash.add(code_key(module, kernel));
    KeyBytes constants;
    if (!kernel.takes_arguments) constants.add_list(arguments_of(module, kernel));
    hash.add(constants.take());
    return runtime::hexadecimal(hash.value());
}

/// "train_step__relu_3__avx512" without the number, which an edit elsewhere may change, and with the digest.
std::string name_by(const std::string& digest, const Program& program, const Kernel& kernel, Isa isa) {
    Kernel named;
    named.name = kernel.name;
    size_t end = named.name.find_last_not_of("0123456789");
    if (end != std::string::npos && named.name[end] == '_') named.name.resize(end);
    named.name += "__" + digest.substr(0, 16);
    return symbol(program, named, isa);
}

/// Functions in order, cut behind one in four and around large ones. Not `cut`: all in one unit with plain names, for
/// people to read.
std::vector<Unit> units(const Module& module, Isa isa, bool cut = true) {
    std::vector<Unit> made;
    bool ends = true;
    for (size_t p = 0; p < module.programs.size(); ++p) {
        const std::optional<Program>& program = module.programs[p][size_t(isa)];
        for (size_t k = 0; program && k < program->kernels.size(); ++k) {
            const Kernel& kernel = program->kernels[k];
            if (kernel.same_as) continue;
            std::string content = cut ? digest(module, kernel) : "", name = symbol(*program, kernel, isa);
            if (cut && kernel.takes_arguments) name = name_by(content, *program, kernel, isa);
            bool alone = cut && count_statements(kernel.body) >= large;
            if (ends || alone || (cut && made.back().brief != brief(kernel)))
                made.push_back({.isa = isa, .brief = brief(kernel)});
            made.back().functions.push_back({{int(p), int(k)}, &kernel, name});
            made.back().key += content + " " + name + " ";
            ends = alone || (cut && content[0] < '4');
        }
    }
    return made;
}

/// The steps of tiny models, each a unit.
std::vector<Unit> multi_step(const Module& module, Isa isa) {
    std::vector<Unit> made;
    for (const auto& versions : module.programs)
        if (const auto& program = versions[size_t(isa)]; program && program->multi_step)
            made.push_back({.isa = isa, .multi_step = &*program});
    return made;
}

std::unique_ptr<llvm::TargetMachine> target_machine(const Machine& machine, llvm::CodeGenOptLevel level) {
    std::string error;
    const llvm::Target* target = llvm::TargetRegistry::lookupTarget(triple, error);
    check(target, "llvm", error);
    llvm::TargetOptions options;
    options.AllowFPOpFusion = llvm::FPOpFusion::Strict;
    std::unique_ptr<llvm::TargetMachine> made(target->createTargetMachine(
        triple, llvm::StringRef(machine.llvm_cpu), "", options, llvm::Reloc::PIC_, llvm::CodeModel::Small, level));
    check(bool(made), "llvm", "no code generator for x86-64");
    return made;
}

std::unique_ptr<llvm::Module> emit(llvm::LLVMContext& context, const Module& module, const Unit& unit) {
    auto made = std::make_unique<llvm::Module>("kernels", context); // the name of a unit stands in its object
    made->setTargetTriple(triple);
    for (const Function& function : unit.functions)
        KernelEmitter(*made, module, *function.kernel, machine(unit.isa)).run(function.name);
    if (unit.multi_step)
        emit_multi_step(*made, module, *unit.multi_step, machine(unit.isa), steps_symbol(*unit.multi_step, unit.isa));
    return made;
}

void verify(const llvm::Module& module) {
    std::string message;
    llvm::raw_string_ostream stream(message);
    if (llvm::verifyModule(module, &stream)) throw InternalError("llvm", stream.str());
}

/// Explicit vectors need no more: LLVM's whole pipeline takes twice the time and gains nothing. These passes take 5 % of
/// the compile time of a GPT. Without them its step, that of a residual net and of digits are as fast, but rnn_scan's is
/// 3 % and the multi-step function of xor 17 % slower.
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

std::string compile(const Module& module, const Unit& unit, llvm::CodeGenFileType type, bool names,
                    Effort effort = Effort::full) {
    llvm::LLVMContext context;
    context.setDiscardValueNames(!names);
    auto level = effort == Effort::least ? llvm::CodeGenOptLevel::None
                 : unit.brief            ? llvm::CodeGenOptLevel::Less
                                         : llvm::CodeGenOptLevel::Default;
    std::unique_ptr<llvm::TargetMachine> target = target_machine(machine(unit.isa), level);
    std::unique_ptr<llvm::Module> made = emit(context, module, unit);
    made->setDataLayout(target->createDataLayout());
    verify(*made);
    if (!unit.brief && effort == Effort::full) optimize(*made, *target, unit.multi_step != nullptr);
    return generate(*made, *target, type, unit.multi_step != nullptr && effort == Effort::full);
}

std::string compile_table(const Module& module, const Metadata& metadata, const FunctionNames& names) {
    llvm::LLVMContext context;
    std::unique_ptr<llvm::TargetMachine> target = target_machine(machine(Isa::baseline), llvm::CodeGenOptLevel::None);
    llvm::Module made(module.name + ".table", context);
    made.setTargetTriple(triple);
    made.setDataLayout(target->createDataLayout());
    made.setPICLevel(llvm::PICLevel::BigPIC);
    emit_table(made, module, make_table(module, metadata, true), names);
    verify(made);
    return generate(made, *target, llvm::CodeGenFileType::ObjectFile, false);
}

/// As many threads as this process has processors, at most one for each of `count` pieces of work.
size_t thread_count(size_t count) {
    cpu_set_t processors;
    bool known = sched_getaffinity(0, sizeof processors, &processors) == 0;
    size_t available = known ? size_t(CPU_COUNT(&processors)) : std::thread::hardware_concurrency();
    return std::max<size_t>(1, std::min(available, count));
}

/// Runs work(0) .. work(count - 1) on all processors; the first exception is thrown again here.
template <class Work> void on_all_processors(size_t count, const Work& work) {
    std::atomic<size_t> next{0};
    std::vector<std::exception_ptr> failures(thread_count(count));
    auto worker = [&](size_t number) {
        try {
            for (size_t i = next++; i < count; i = next++) work(i);
        } catch (...) {
            failures[number] = std::current_exception();
        }
    };
    std::vector<std::thread> others;
    for (size_t number = 1; number < failures.size(); ++number) others.emplace_back(worker, number);
    worker(0);
    for (std::thread& other : others) other.join();
    for (const std::exception_ptr& failure : failures)
        if (failure) std::rethrow_exception(failure);
}

/// Takes the objects of known units from the cache; the others are empty.
std::vector<std::string> find_known(const std::vector<Unit>& work, CodeCache& cache) {
    std::map<std::string_view, const std::string*> known;
    for (const auto& [key, object] : cache.known) known[key] = &object;
    std::vector<std::string> objects(work.size());
    for (size_t i = 0; i < work.size(); ++i) {
        auto functions = int64_t(work[i].functions.size() + (work[i].multi_step != nullptr));
        cache.functions += functions;
        if (auto found = known.find(work[i].key); found != known.end()) objects[i] = *found->second;
        else cache.compiled += functions;
    }
    return objects;
}

} // namespace

std::string print_llvm(const Module& module, Isa isa) {
    loop::verify(module);
    llvm::LLVMContext context;
    std::string text;
    llvm::raw_string_ostream stream(text);
    for (const Unit& unit : units(module, isa, false)) {
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
    for (const Unit& unit : units(module, isa, false))
        text += compile(module, unit, llvm::CodeGenFileType::AssemblyFile, true);
    for (const Unit& unit : multi_step(module, isa))
        text += compile(module, unit, llvm::CodeGenFileType::AssemblyFile, true);
    return text;
}

std::string object(const Module& module, const Metadata& metadata, CodeCache* cache, Effort effort) {
    loop::verify(module);
    initialize();
    std::vector<Unit> work;
    for (int isa = 0; isa < isa_count; ++isa) {
        for (Unit& unit : multi_step(module, Isa(isa))) work.push_back(std::move(unit)); // long ones first
        for (Unit& unit : units(module, Isa(isa), effort == Effort::full)) work.push_back(std::move(unit));
    }
    FunctionNames names;
    for (const Unit& unit : work)
        for (const Function& function : unit.functions) names[{unit.isa, function.number}] = function.name;
    std::vector<std::string> objects(work.size());
    if (cache) objects = find_known(work, *cache);
    objects.emplace_back();
    on_all_processors(objects.size(), [&](size_t i) {
        if (i == work.size()) objects[i] = compile_table(module, metadata, names);
        else if (objects[i].empty())
            objects[i] = compile(module, work[i], llvm::CodeGenFileType::ObjectFile, false, effort);
    });
    for (size_t i = 0; cache && i < work.size(); ++i)
        if (!work[i].key.empty()) cache->used.emplace_back(work[i].key, objects[i]);
    return join_objects(objects);
}

} // namespace gradc::target
