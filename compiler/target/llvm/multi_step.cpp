// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// A loop over steps around the kernels. Each buffer that they touch is a local copy: variables and scalars are copied
// in before the first step, variables out after the last; fields are filled with each step's rows; the rest is lost.
// As no kernel's memory is the arena, every load finds its store, and LLVM's passes make registers of what they can.
#include "compiler/target/llvm/multi_step.h"
#include "compiler/program/code.h"
#include "compiler/program/multi_step.h"
#include "compiler/target/table.h"
#include <llvm/IR/Constants.h>

namespace gradc::target {

using namespace loop;

namespace {

class MultiStepEmitter {
public:
    MultiStepEmitter(llvm::Module& target, const Module& module, const Program& program, const Machine& machine)
        : target_(target), module_(module), program_(program), machine_(machine), builder_(target.getContext()),
          rows_(program.multi_step->rows) {}

    llvm::Function* run(const std::string& symbol) {
        function_ = start_function(target_, machine_, symbol, {builder_.getPtrTy(), builder_.getPtrTy()},
                                   builder_.getInt64Ty());
        function_->getArg(0)->setName("arena");
        function_->getArg(1)->setName("steps");
        inlining_.function = function_;
        inlining_.places = &places_;
        inlining_.rows = rows_;
        builder_.SetInsertPoint(block("entry"));
        read_multi_step();
        make_places();
        llvm::BasicBlock *head = block("step"), *next = block("rows"), *done = block("done");
        builder_.CreateBr(head);
        builder_.SetInsertPoint(head);
        builder_.CreateCondBr(builder_.CreateICmpSLT(load(step_), count_), next, done);
        builder_.SetInsertPoint(next);
        begin_epoch();
        take_rows();
        kernels(done);
        finish_step();
        builder_.CreateBr(head);
        builder_.SetInsertPoint(done);
        leave();
        return function_;
    }

private:
    llvm::BasicBlock* block(const char* name) {
        return llvm::BasicBlock::Create(target_.getContext(), name, function_);
    }
    llvm::Value* offset(llvm::Value* from, int64_t bytes) {
        return builder_.CreateInBoundsGEP(builder_.getInt8Ty(), from, builder_.getInt64(uint64_t(bytes)));
    }
    llvm::Value* load(llvm::AllocaInst* local) { return builder_.CreateLoad(local->getAllocatedType(), local); }
    llvm::AllocaInst* local(llvm::Value* start, const char* name) {
        auto* made = builder_.CreateAlloca(start->getType(), nullptr, name);
        builder_.CreateStore(start, made);
        return made;
    }
    void add(llvm::AllocaInst* to, int64_t integer) {
        builder_.CreateStore(builder_.CreateAdd(load(to), builder_.getInt64(uint64_t(integer))), to);
    }
    void add(llvm::AllocaInst* to, llvm::Value* number) {
        builder_.CreateStore(builder_.CreateFAdd(load(to), number), to);
    }
    llvm::Value* member(size_t place, llvm::Type* type) {
        return builder_.CreateLoad(type, offset(function_->getArg(1), int64_t(place)));
    }
    llvm::Value* in_arena(BufferId id) { return offset(function_->getArg(0), module_.buffers[id].offset); }
    void copy(llvm::Value* to, llvm::Value* from, int64_t bytes, uint64_t alignment) {
        builder_.CreateMemCpy(to, llvm::Align(alignment), from, llvm::Align(alignment), uint64_t(bytes));
    }

    void read_multi_step() {
        llvm::Type *integer = builder_.getInt64Ty(), *number = builder_.getDoubleTy();
        count_ = member(offsetof(gradc_multi_step, count), integer);
        order_ = member(offsetof(gradc_multi_step, order), builder_.getPtrTy());
        epoch_steps_ = member(offsetof(gradc_multi_step, epoch_steps), integer);
        llvm::Value* columns = member(offsetof(gradc_multi_step, columns), builder_.getPtrTy());
        step_ = local(builder_.getInt64(0), "done");
        until_epoch_ = local(member(offsetof(gradc_multi_step, until_epoch), integer), "until_epoch");
        sum_ = local(member(offsetof(gradc_multi_step, loss_sum), number), "loss_sum");
        total_ = local(member(offsetof(gradc_multi_step, loss_total), number), "loss_total");
        for (const MultiStepField& field : multi_step_fields(module_, program_)) {
            int64_t at = int64_t(fields_.size() * sizeof(gradc_column));
            Field one{field, nullptr, nullptr};
            if (!field.numbers) {
                one.first = builder_.CreateLoad(builder_.getPtrTy(),
                                                offset(columns, at + int64_t(offsetof(gradc_column, first))));
                one.distance =
                    builder_.CreateLoad(integer, offset(columns, at + int64_t(offsetof(gradc_column, distance))));
            }
            fields_.push_back(one);
        }
    }

    /// A vector may run over a buffer's end by up to 64 bytes.
    void make_places() {
        places_.resize(module_.buffers.size());
        for (BufferId id : touched_buffers(program_)) {
            const Buffer& buffer = module_.buffers[id];
            auto* bytes = llvm::ArrayType::get(builder_.getInt8Ty(), uint64_t(buffer.size) + 64);
            auto* made = builder_.CreateAlloca(bytes, nullptr, buffer.name);
            made->setAlignment(llvm::Align(64));
            places_[id] = made;
            bool filled = buffer.role == Buffer::Role::variable || buffer.role == Buffer::Role::scalar ||
                          buffer.role == Buffer::Role::constant;
            if (filled) copy(made, in_arena(id), buffer.size, 64);
        }
    }

    llvm::Value* scalar(const char* name) const {
        for (BufferId id = 0; id < module_.buffers.size(); ++id)
            if (module_.buffers[id].role == Buffer::Role::scalar && module_.buffers[id].name == name)
                return places_[id];
        return nullptr;
    }
    void count_up(const char* name) {
        llvm::Value* place = scalar(name);
        if (!place) return;
        llvm::Value* before = builder_.CreateLoad(builder_.getDoubleTy(), place);
        builder_.CreateStore(builder_.CreateFAdd(before, one()), place);
    }
    llvm::Value* one() { return llvm::ConstantFP::get(builder_.getDoubleTy(), 1.0); }

    void begin_epoch() {
        llvm::BasicBlock *begins = block("epoch"), *goes_on = block("goes_on");
        builder_.CreateCondBr(builder_.CreateICmpEQ(load(until_epoch_), builder_.getInt64(0)), begins, goes_on);
        builder_.SetInsertPoint(begins);
        for (BufferId id : program_.multi_step->cleared)
            if (places_[id])
                builder_.CreateMemSet(places_[id], builder_.getInt8(0), uint64_t(module_.buffers[id].size),
                                      llvm::MaybeAlign(64));
        builder_.CreateStore(llvm::ConstantFP::get(builder_.getDoubleTy(), 0.0), sum_);
        builder_.CreateStore(epoch_steps_, until_epoch_);
        count_up("epoch");
        builder_.CreateBr(goes_on);
        builder_.SetInsertPoint(goes_on);
    }

    void take_rows() {
        if (fields_.empty()) return;
        llvm::Type* integer = builder_.getInt64Ty();
        llvm::Value* first = builder_.CreateMul(load(step_), builder_.getInt64(uint64_t(rows_)));
        for (int64_t n = 0; n < rows_; ++n) {
            llvm::Value* number = builder_.CreateAdd(first, builder_.getInt64(uint64_t(n)));
            llvm::Value* row = builder_.CreateLoad(integer, builder_.CreateInBoundsGEP(integer, order_, number));
            for (const Field& field : fields_) {
                llvm::Value* to = offset(places_[field.about.buffer], n * field.about.row_bytes);
                if (field.about.numbers) {
                    builder_.CreateStore(builder_.CreateTrunc(row, builder_.getInt32Ty()), to);
                    continue;
                }
                llvm::Value* from = builder_.CreateInBoundsGEP(builder_.getInt8Ty(), field.first,
                                                               builder_.CreateMul(row, field.distance));
                copy(to, from, field.about.row_bytes, 1);
            }
        }
    }

    void kernels(llvm::BasicBlock* done) {
        for (size_t at = 0; at < program_.table.size(); ++at) {
            const Step& step = program_.table[at];
            if (step.kind == Step::Kind::loop_begin) open_loop(step);
            if (step.kind == Step::Kind::loop_end) close_loop();
            if (step.kind == Step::Kind::guard) guard(done);
            if (step.kind != Step::Kind::kernel) continue;
            inlining_.block = builder_.GetInsertBlock();
            Kernel own = expanded(module_, machine_.isa, program_.kernels[step.kernel]);
            KernelEmitter(target_, module_, own, machine_).run(inlining_);
            builder_.SetInsertPoint(inlining_.block);
        }
    }

    struct TableLoop {
        llvm::BasicBlock* body;
        llvm::PHINode* iteration;
        const Step* step;
    };
    void open_loop(const Step& step) {
        llvm::BasicBlock *before = builder_.GetInsertBlock(), *body = block("iteration");
        builder_.CreateBr(body);
        builder_.SetInsertPoint(body);
        auto* iteration = builder_.CreatePHI(builder_.getInt64Ty(), 2);
        iteration->addIncoming(builder_.getInt64(0), before);
        loops_.push_back({body, iteration, &step});
        llvm::Value* last = builder_.getInt64(uint64_t(step.iterations - 1));
        inlining_.iterations.push_back(step.reverse ? builder_.CreateSub(last, iteration) : iteration);
    }
    void close_loop() {
        TableLoop loop = loops_.back();
        loops_.pop_back();
        inlining_.iterations.pop_back();
        llvm::BasicBlock* after = block("after");
        llvm::Value* next = builder_.CreateAdd(loop.iteration, builder_.getInt64(1));
        loop.iteration->addIncoming(next, builder_.GetInsertBlock());
        builder_.CreateCondBr(builder_.CreateICmpSLT(next, builder_.getInt64(uint64_t(loop.step->iterations))),
                              loop.body, after);
        builder_.SetInsertPoint(after);
    }

    llvm::Value* loss() {
        BufferId id = program_.results[0].buffer;
        bool narrow = module_.buffers[id].dtype == Dtype::f32;
        llvm::Value* loss = builder_.CreateLoad(narrow ? builder_.getFloatTy() : builder_.getDoubleTy(), places_[id]);
        return narrow ? builder_.CreateFPExt(loss, builder_.getDoubleTy()) : loss;
    }

    /// Neither infinite nor NaN: the difference from itself is zero.
    void guard(llvm::BasicBlock* done) {
        llvm::BasicBlock* rest = block("updates");
        llvm::Value* size = builder_.CreateUnaryIntrinsic(llvm::Intrinsic::fabs, loss());
        auto* infinity = llvm::ConstantFP::getInfinity(builder_.getDoubleTy());
        builder_.CreateCondBr(builder_.CreateFCmpOLT(size, infinity), rest, done);
        builder_.SetInsertPoint(rest);
    }

    void finish_step() {
        llvm::Value* rows = llvm::ConstantFP::get(builder_.getDoubleTy(), double(rows_));
        add(sum_, builder_.CreateFMul(loss(), rows));
        add(total_, loss());
        count_up("step");
        add(step_, 1);
        add(until_epoch_, -1);
    }

    void leave() {
        for (BufferId id = 0; id < places_.size(); ++id)
            if (places_[id] && module_.buffers[id].role == Buffer::Role::variable)
                copy(in_arena(id), places_[id], module_.buffers[id].size, 64);
        auto give = [&](size_t place, llvm::AllocaInst* from) {
            builder_.CreateStore(load(from), offset(function_->getArg(1), int64_t(place)));
        };
        give(offsetof(gradc_multi_step, loss_sum), sum_);
        give(offsetof(gradc_multi_step, loss_total), total_);
        builder_.CreateRet(load(step_));
    }

    struct Field {
        MultiStepField about;
        llvm::Value *first, *distance;
    };

    llvm::Module& target_;
    const Module& module_;
    const Program& program_;
    const Machine& machine_;
    llvm::IRBuilder<> builder_;
    int64_t rows_;
    llvm::Function* function_ = nullptr;
    Inlining inlining_;
    std::vector<llvm::Value*> places_; // by BufferId
    std::vector<Field> fields_;
    std::vector<TableLoop> loops_;
    llvm::Value *count_ = nullptr, *order_ = nullptr, *epoch_steps_ = nullptr;
    llvm::AllocaInst *step_ = nullptr, *until_epoch_ = nullptr, *sum_ = nullptr, *total_ = nullptr;
};

} // namespace

llvm::Function* emit_multi_step(llvm::Module& target, const Module& module, const Program& program,
                                const Machine& machine, const std::string& symbol) {
    return MultiStepEmitter(target, module, program, machine).run(symbol);
}

} // namespace gradc::target
