// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Operations on scalars and vectors alike. Floating arithmetic is strict: no flag allows LLVM to
// reassociate, to approximate or to contract; fma is written where it is meant. What LLVM would
// turn into library calls on a machine without the instruction (floor, fma on baseline) is spelled
// out.
#include "compiler/program/code.h"
#include "compiler/target/llvm/kernel.h"
#include "compiler/util/check.h"
#include <llvm/IR/Constants.h>
#include <llvm/IR/IntrinsicsX86.h>
#include <llvm/IR/PatternMatch.h>

namespace gradc::target {

using namespace loop;

llvm::Value* KernelEmitter::operation(const Define& define) {
    ValueType result = type_of(define.result);
    std::vector<llvm::Value*> operands;
    for (ValueId operand : define.operands) operands.push_back(value(operand));
    ValueType first = define.operands.empty() ? result : type_of(define.operands[0]);
    switch (define.operation) {
    case Operation::literal:
    case Operation::lane_numbers:
    case Operation::row_count:
    case Operation::range_begin:
    case Operation::range_end:
    case Operation::counter:
    case Operation::stream: return leaf(define);
    case Operation::less:
    case Operation::less_equal:
    case Operation::equal:
    case Operation::unordered: return compare(define.operation, operands[0], operands[1], first);
    case Operation::select: return builder_.CreateSelect(operands[0], operands[1], operands[2]);
    case Operation::minimum:
    case Operation::maximum: {
        bool least = define.operation == Operation::minimum;
        llvm::Value* a = least ? operands[0] : operands[1];
        llvm::Value* b = least ? operands[1] : operands[0];
        return builder_.CreateSelect(compare(Operation::less, a, b, first), operands[0], operands[1]);
    }
    case Operation::convert: return convert(operands[0], first, result);
    case Operation::reinterpret: return builder_.CreateBitCast(operands[0], type(result));
    case Operation::splat:
    case Operation::extract:
    case Operation::insert_lane:
    case Operation::reduce_add:
    case Operation::reduce_max:
    case Operation::reduce_min:
    case Operation::lane_mask: return lane_operation(define);
    default: break;
    }
    if (floating(result.dtype)) return float_arithmetic(define.operation, operands);
    return integer_arithmetic(define.operation, operands, result.dtype != Dtype::u8);
}

llvm::Value* KernelEmitter::stream(const Define& define) {
    if (inlining_ || !kernel_.takes_arguments) return builder_.getInt32(uint32_t(stream_half(kernel_, define)));
    return argument(int64_t(buffers_.size()) + define.integer);
}

llvm::Value* KernelEmitter::leaf(const Define& define) {
    ValueType result = type_of(define.result);
    llvm::Type* made = type(result);
    switch (define.operation) {
    case Operation::literal:
        if (floating(result.dtype)) return llvm::ConstantFP::get(made, define.number);
        if (result.dtype == Dtype::boolean) return llvm::ConstantInt::get(made, define.number != 0);
        return llvm::ConstantInt::getSigned(made, define.integer);
    case Operation::stream: return stream(define);
    case Operation::lane_numbers: {
        std::vector<llvm::Constant*> lanes;
        for (int lane = 0; lane < result.lanes; ++lane)
            lanes.push_back(llvm::ConstantInt::get(made->getScalarType(), uint64_t(lane)));
        return result.lanes == 1 ? lanes[0] : llvm::ConstantVector::get(lanes);
    }
    case Operation::range_begin:
        if (inlining_) return builder_.getInt64(0);
        return function_->getArg(3);
    case Operation::range_end:
        if (inlining_) return builder_.getInt64(uint64_t(items(kernel_.extent, inlining_->rows)));
        return function_->getArg(4);
    default: break;
    }
    if (inlining_ && define.operation == Operation::row_count) return builder_.getInt64(uint64_t(inlining_->rows));
    if (inlining_) return inlining_->iterations[size_t(define.integer)];
    uint64_t place = define.operation == Operation::row_count ? 0 : uint64_t(1 + define.integer);
    llvm::Value* at = builder_.CreateConstInBoundsGEP1_64(builder_.getInt64Ty(), function_->getArg(1), place);
    auto* size = builder_.CreateAlignedLoad(builder_.getInt64Ty(), at, llvm::Align(8));
    size->setMetadata(llvm::LLVMContext::MD_invariant_load, llvm::MDNode::get(target_.getContext(), {}));
    return size;
}

llvm::Value* KernelEmitter::float_arithmetic(Operation operation, llvm::ArrayRef<llvm::Value*> operands) {
    llvm::Value* a = operands[0];
    switch (operation) {
    case Operation::add: return builder_.CreateFAdd(a, operands[1]);
    case Operation::subtract: return builder_.CreateFSub(a, operands[1]);
    case Operation::multiply: return builder_.CreateFMul(a, operands[1]);
    case Operation::divide: return builder_.CreateFDiv(a, operands[1]);
    case Operation::negate: return builder_.CreateFNeg(a);
    case Operation::fma:
        if (!machine_.has_fma) return builder_.CreateFAdd(builder_.CreateFMul(a, operands[1]), operands[2]);
        return builder_.CreateIntrinsic(llvm::Intrinsic::fma, {a->getType()}, operands);
    case Operation::sqrt:
        if (auto* vector = llvm::dyn_cast<llvm::FixedVectorType>(a->getType());
            vector && vector->getElementType()->isFloatTy() &&
            estimates_roots(machine_, Dtype::f32, int(vector->getNumElements())))
            return estimated_root(a);
        return builder_.CreateUnaryIntrinsic(llvm::Intrinsic::sqrt, a);
    case Operation::floor:
        if (machine_.isa == Isa::baseline) return floor_without_instruction(a);
        return builder_.CreateUnaryIntrinsic(llvm::Intrinsic::floor, a);
    case Operation::abs: return builder_.CreateUnaryIntrinsic(llvm::Intrinsic::fabs, a);
    default: throw InternalError("llvm", "an operation on whole numbers has floating operands");
    }
}

/// The correctly rounded root, as the square root instruction gives it, without the divider. One Newton step from
/// the processor's estimate y of 1 / sqrt(a) gives root and half its reciprocal to about 2^-28; the remainder
/// a - root^2, exact in a fused multiply-add, then rounds the root correctly. For estimates within 2^-13 this was
/// shown for all floats (`./run bench math sqrt` repeats it). Below 2^-100 the remainder would be denormal, so such
/// arguments are scaled. The last instruction sets zeros, infinity and NaN.
llvm::Value* KernelEmitter::estimated_root(llvm::Value* a) {
    llvm::Type* type = a->getType();
    auto number = [&](double value) { return llvm::ConstantFP::get(type, value); };
    auto fma = [&](llvm::Value* x, llvm::Value* y, llvm::Value* z) {
        return builder_.CreateIntrinsic(llvm::Intrinsic::fma, {type}, {x, y, z});
    };
    llvm::Value* all = builder_.getInt16(0xffff);
    llvm::Value* tiny = builder_.CreateFCmpOLT(a, number(0x1p-100));
    llvm::Value* scaled = builder_.CreateSelect(tiny, builder_.CreateFMul(a, number(0x1p32)), a);
    llvm::Value* estimate =
        builder_.CreateIntrinsic(llvm::Intrinsic::x86_avx512_rsqrt14_ps_512, {}, {scaled, scaled, all});
    llvm::Value* root = builder_.CreateFMul(scaled, estimate);
    llvm::Value* half = builder_.CreateFMul(estimate, number(0.5));
    llvm::Value* error = fma(builder_.CreateFNeg(root), half, number(0.5));
    root = fma(root, error, root);
    half = fma(half, error, half);
    root = fma(fma(builder_.CreateFNeg(root), root, scaled), half, root);
    root = builder_.CreateSelect(tiny, builder_.CreateFMul(root, number(0x1p-16)), root);
    llvm::Value* table = builder_.CreateVectorSplat(16, builder_.getInt32(root_cases));
    llvm::Value* as_it_is = builder_.getInt32(4); // rounding
    return builder_.CreateIntrinsic(llvm::Intrinsic::x86_avx512_mask_fixupimm_ps_512, {},
                                    {root, a, table, builder_.getInt32(0), all, as_it_is});
}

/// Adding and subtracting 2^(mantissa bits) rounds to the nearest integer; one less where that
/// is above.
llvm::Value* KernelEmitter::floor_without_instruction(llvm::Value* a) {
    llvm::Type* type = a->getType();
    auto* large = llvm::ConstantFP::get(type, type->getScalarType()->isFloatTy() ? 0x1p23 : 0x1p52);
    llvm::Value* magic = builder_.CreateBinaryIntrinsic(llvm::Intrinsic::copysign, large, a);
    llvm::Value* nearest = builder_.CreateFSub(builder_.CreateFAdd(a, magic), magic);
    llvm::Value* below = builder_.CreateFSub(nearest, llvm::ConstantFP::get(type, 1.0));
    llvm::Value* down = builder_.CreateSelect(builder_.CreateFCmpOGT(nearest, a), below, nearest);
    llvm::Value* with_sign = builder_.CreateBinaryIntrinsic(llvm::Intrinsic::copysign, down, a);
    llvm::Value* size = builder_.CreateUnaryIntrinsic(llvm::Intrinsic::fabs, a);
    return builder_.CreateSelect(builder_.CreateFCmpOLT(size, large), with_sign,
                                 a); // whole or NaN: a
}

llvm::Value* KernelEmitter::integer_arithmetic(Operation operation, llvm::ArrayRef<llvm::Value*> operands,
                                               bool with_sign) {
    llvm::Value* a = operands[0];
    llvm::Value* b = operands.size() > 1 ? operands[1] : nullptr;
    switch (operation) {
    case Operation::add: return builder_.CreateAdd(a, b);
    case Operation::subtract: return builder_.CreateSub(a, b);
    case Operation::multiply: return builder_.CreateMul(a, b);
    case Operation::negate: return builder_.CreateNeg(a);
    case Operation::abs:
        if (!with_sign) return a;
        return builder_.CreateBinaryIntrinsic(llvm::Intrinsic::abs, a, builder_.getFalse());
    case Operation::quotient:
    case Operation::remainder: return rounded_down(operation, a, b, with_sign);
    case Operation::bit_and: return builder_.CreateAnd(a, b);
    case Operation::bit_or: return builder_.CreateOr(a, b);
    case Operation::bit_xor: return builder_.CreateXor(a, b);
    case Operation::bit_not: return builder_.CreateNot(a);
    case Operation::shift_left: return builder_.CreateShl(a, b);
    case Operation::shift_right: return with_sign ? builder_.CreateAShr(a, b) : builder_.CreateLShr(a, b);
    case Operation::shift_right_logical: return builder_.CreateLShr(a, b);
    case Operation::multiply_high: return multiply_high(a, b);
    default: throw InternalError("llvm", "a floating operation has whole operands");
    }
}

/// Division towards minus infinity by b > 0.
llvm::Value* KernelEmitter::rounded_down(Operation operation, llvm::Value* a, llvm::Value* b, bool with_sign) {
    bool quotient = operation == Operation::quotient;
    if (!with_sign) return quotient ? builder_.CreateUDiv(a, b) : builder_.CreateURem(a, b);
    const llvm::APInt* divisor = nullptr;
    if (llvm::PatternMatch::match(b, llvm::PatternMatch::m_APInt(divisor)) && divisor->isPowerOf2()) {
        if (!quotient) return builder_.CreateAnd(a, llvm::ConstantInt::get(a->getType(), *divisor - 1));
        return builder_.CreateAShr(a, llvm::ConstantInt::get(a->getType(), divisor->logBase2()));
    }
    llvm::Value* rest = builder_.CreateSRem(a, b);
    llvm::Value* zero = llvm::Constant::getNullValue(a->getType());
    llvm::Value* negative = builder_.CreateICmpSLT(rest, zero);
    if (!quotient) return builder_.CreateSelect(negative, builder_.CreateAdd(rest, b), rest);
    llvm::Value* toward_zero = builder_.CreateSDiv(a, b);
    return builder_.CreateAdd(toward_zero, builder_.CreateSExt(negative, a->getType()));
}

llvm::Value* KernelEmitter::multiply_high(llvm::Value* a, llvm::Value* b) {
    llvm::Type *narrow = a->getType(), *wide = like(narrow, builder_.getInt64Ty());
    llvm::Value* product = builder_.CreateMul(builder_.CreateZExt(a, wide), builder_.CreateZExt(b, wide));
    return builder_.CreateTrunc(builder_.CreateLShr(product, 32), narrow);
}

llvm::Value* KernelEmitter::compare(Operation operation, llvm::Value* a, llvm::Value* b, ValueType type) {
    if (floating(type.dtype)) {
        switch (operation) {
        case Operation::less: return builder_.CreateFCmpOLT(a, b);
        case Operation::less_equal: return builder_.CreateFCmpOLE(a, b);
        case Operation::equal: return builder_.CreateFCmpOEQ(a, b);
        default: return builder_.CreateFCmpUNO(a, b);
        }
    }
    bool with_sign = type.dtype == Dtype::i32 || type.dtype == Dtype::i64;
    switch (operation) {
    case Operation::less: return with_sign ? builder_.CreateICmpSLT(a, b) : builder_.CreateICmpULT(a, b);
    case Operation::less_equal: return with_sign ? builder_.CreateICmpSLE(a, b) : builder_.CreateICmpULE(a, b);
    default: return builder_.CreateICmpEQ(a, b);
    }
}

llvm::Value* KernelEmitter::lane_operation(const Define& define) {
    ValueType result = type_of(define.result), from = type_of(define.operands[0]);
    llvm::Value* a = value(define.operands[0]);
    unsigned lanes = unsigned(result.lanes);
    switch (define.operation) {
    case Operation::splat: return lanes == 1 ? a : builder_.CreateVectorSplat(lanes, a);
    case Operation::extract: return from.lanes == 1 ? a : builder_.CreateExtractElement(a, uint64_t(define.integer));
    case Operation::insert_lane:
        if (lanes == 1) return value(define.operands[1]);
        return builder_.CreateInsertElement(a, value(define.operands[1]), uint64_t(define.integer));
    case Operation::lane_mask: {
        if (lanes == 1) return builder_.CreateICmpSGT(a, builder_.getInt64(0));
        if (auto* known = llvm::dyn_cast<llvm::ConstantInt>(a); known && inlining_) {
            std::vector<llvm::Constant*> on;
            for (int64_t lane = 0; lane < int64_t(lanes); ++lane)
                on.push_back(builder_.getInt1(lane < known->getSExtValue()));
            return llvm::ConstantVector::get(on);
        }
        // The count goes to 0..lanes first, so that lanes are compared in 32 bits.
        a = builder_.CreateBinaryIntrinsic(llvm::Intrinsic::smax, a, builder_.getInt64(0));
        a = builder_.CreateBinaryIntrinsic(llvm::Intrinsic::smin, a, builder_.getInt64(lanes));
        llvm::Value* count = builder_.CreateVectorSplat(lanes, builder_.CreateTrunc(a, builder_.getInt32Ty()));
        return builder_.CreateICmpULT(lane_offsets(int(lanes), 1), count);
    }
    default: return reduce(define.operation, a, from);
    }
}

llvm::Value* KernelEmitter::reduce(Operation operation, llvm::Value* vector, ValueType type) {
    for (int half = type.lanes / 2; half >= 1; half /= 2) {
        std::vector<int> low, high;
        for (int lane = 0; lane < half; ++lane) {
            low.push_back(lane);
            high.push_back(lane + half);
        }
        llvm::Value* a = builder_.CreateShuffleVector(vector, low);
        llvm::Value* b = builder_.CreateShuffleVector(vector, high);
        if (operation == Operation::reduce_add)
            vector = floating(type.dtype) ? builder_.CreateFAdd(a, b) : builder_.CreateAdd(a, b);
        else if (operation == Operation::reduce_min)
            vector = builder_.CreateSelect(compare(Operation::less, a, b, type), a, b);
        else vector = builder_.CreateSelect(compare(Operation::less, b, a, type), a, b);
    }
    return type.lanes == 1 ? vector : builder_.CreateExtractElement(vector, uint64_t(0));
}

llvm::Value* KernelEmitter::from_bf16(llvm::Value* value) {
    llvm::Type* wide = like(value->getType(), builder_.getInt32Ty());
    llvm::Value* bits = builder_.CreateShl(builder_.CreateZExt(value, wide), 16);
    return builder_.CreateBitCast(bits, like(wide, builder_.getFloatTy()));
}

/// To nearest, ties to even; a NaN stays one.
llvm::Value* KernelEmitter::to_bf16(llvm::Value* value) {
    llvm::Type* wide = like(value->getType(), builder_.getInt32Ty());
    llvm::Value* bits = builder_.CreateBitCast(value, wide);
    auto number = [&](uint64_t integer) { return llvm::ConstantInt::get(wide, integer); };
    llvm::Value* odd = builder_.CreateAnd(builder_.CreateLShr(bits, number(16)), number(1));
    llvm::Value* rounded = builder_.CreateAdd(bits, builder_.CreateAdd(odd, number(0x7fff)));
    llvm::Value* quiet = builder_.CreateOr(bits, number(0x400000));
    llvm::Value* chosen = builder_.CreateSelect(builder_.CreateFCmpUNO(value, value), quiet, rounded);
    return builder_.CreateTrunc(builder_.CreateLShr(chosen, number(16)), like(wide, builder_.getInt16Ty()));
}

llvm::Value* KernelEmitter::convert(llvm::Value* from, ValueType source, ValueType to) {
    llvm::Type* made = type(to);
    if (source.dtype == to.dtype) return from;
    if (source.dtype == Dtype::bf16) return convert(from_bf16(from), {Dtype::f32, source.lanes}, to);
    if (to.dtype == Dtype::bf16) return to_bf16(convert(from, source, {Dtype::f32, source.lanes}));
    if (source.dtype == Dtype::boolean) {
        if (!floating(to.dtype)) return builder_.CreateZExt(from, made);
        return builder_.CreateSelect(from, llvm::ConstantFP::get(made, 1.0), llvm::ConstantFP::get(made, 0.0));
    }
    llvm::Value* zero = llvm::Constant::getNullValue(from->getType());
    if (to.dtype == Dtype::boolean)
        return floating(source.dtype) ? builder_.CreateFCmpUNE(from, zero) : builder_.CreateICmpNE(from, zero);
    if (floating(source.dtype)) {
        if (floating(to.dtype)) return builder_.CreateFPCast(from, made);
        if (to.dtype != Dtype::u8) return builder_.CreateFPToSI(from, made);
        return builder_.CreateTrunc(builder_.CreateFPToSI(from, type({Dtype::i32, to.lanes})), made);
    }
    bool with_sign = source.dtype != Dtype::u8;
    if (!floating(to.dtype)) return builder_.CreateIntCast(from, made, with_sign);
    if (!with_sign) from = builder_.CreateZExt(from, type({Dtype::i32, to.lanes}));
    return builder_.CreateSIToFP(from, made);
}

} // namespace gradc::target
