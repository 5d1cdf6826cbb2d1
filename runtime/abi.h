/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception */
/* The contract between generated code and whoever runs it: the trainer's runtime, `gradc check`, a user's C program.
 * Plain C. A module is one constant table, `gradc_module_table`; all memory is one arena that the caller provides.
 * Kernels touch nothing but the arena and their arguments; they never allocate, lock or call the system. */
#ifndef GRADC_ABI_H
#define GRADC_ABI_H
#include <stddef.h>
#include <stdint.h>
#ifdef __cplusplus
extern "C" {
#endif

#define GRADC_ABI_VERSION 6

enum gradc_dtype { GRADC_F32, GRADC_F64, GRADC_BF16, GRADC_I32, GRADC_I64, GRADC_U8, GRADC_BOOL };
enum gradc_isa { GRADC_BASELINE, GRADC_AVX2, GRADC_AVX512, GRADC_ISA_COUNT };
enum gradc_role {
    GRADC_FIELD,
    GRADC_SCALAR,
    GRADC_PARAMETER,
    GRADC_STATE,
    GRADC_OPTIMIZER,
    GRADC_STATISTIC,
    GRADC_ACCUMULATOR,
    GRADC_RESULT
};

/* sizes[0]: rows of this call; sizes[1 + d]: iteration of the table loop at depth d. arguments: the kernel's, see
 * gradc_kernel. [begin, end): part of the extent. */
typedef void (*gradc_function)(unsigned char* arena, const int64_t* sizes, const uint32_t* arguments, int64_t begin,
                               int64_t end);

/* A tensor in the arena. Logical element (i0, i1, ..) lies at offset + size of element * sum over axes; with
 * panel = W > 0 the last two axes [K, N] lie as [ceil(N/W)][K][W]. strides are in elements (with a panel: of the axes
 * before the last two). */
typedef struct {
    const char* name;     /* the model's path: "mlp.linear_1.weight"; field, scalar and result names */
    const char* saved_as; /* name in files */
    int32_t dtype, role, rank;
    int32_t has_rows; /* the first axis is N: shape[0] is the largest batch */
    const int64_t* shape;
    const int64_t* strides;
    int64_t offset; /* bytes */
    int64_t panel;
} gradc_tensor;

/* The number of items of a kernel: fixed + ceil(rows * per_row / divisor). A call works on a range of them. */
typedef struct {
    int64_t fixed, per_row, divisor;
    int64_t grain; /* fewest items worth a worker; 0: never split */
} gradc_extent;

/* What kernels with equal code share. */
typedef struct {
    gradc_function functions[GRADC_ISA_COUNT]; /* NULL where not built */
    gradc_extent extents[GRADC_ISA_COUNT];     /* vectors of another width cut the work otherwise */
    double flops, bytes;                       /* for the largest batch */
} gradc_code;

/* Arguments tell kernels with one code apart: for each buffer its offset in the arena, in units of 64 bytes, then the
 * lower and upper half of each random stream. Those for instruction set i begin at arguments + i * argument_distance.
 * NULL: the functions have them as constants. */
typedef struct {
    const char* name; /* for reports */
    const gradc_code* code;
    const uint32_t* arguments;
    int64_t argument_distance;
} gradc_kernel;

enum gradc_step_kind { GRADC_KERNEL, GRADC_LOOP_BEGIN, GRADC_LOOP_END, GRADC_GUARD };
typedef struct {
    int32_t kind;       /* gradc_step_kind */
    int32_t kernel;     /* index into kernels */
    int32_t iterations; /* LOOP_BEGIN */
    int32_t reverse;    /* LOOP_BEGIN: the iteration counts down */
} gradc_step;

/* Many training steps in one call. The results have the same bits as those of as many calls of the program. */
typedef struct {
    const unsigned char* first; /* of row 0 */
    int64_t distance;           /* bytes from row to row */
} gradc_column;
typedef struct {
    int64_t count;               /* steps to do */
    const int64_t* order;        /* numbers of the rows, step_rows of them for each step */
    const gradc_column* columns; /* by the program's fields; not read for "#row" */
    /* After until_epoch steps, and every epoch_steps from then on, an epoch begins if a step follows: accumulators and
     * loss_sum are zero, scalar "epoch" is one higher. */
    int64_t until_epoch, epoch_steps;
    double loss_sum, loss_total; /* these grow by loss * rows and by loss */
} gradc_multi_step;
/* Returns the number of steps done. If it is less than count, the loss of the next step is not finite, and the arena's
 * variables are as before that step. Scalars "step" and "epoch" hold the values for the first step and do not change.
 * The contents of all buffers but variables are undefined afterwards. */
typedef int64_t (*gradc_steps)(unsigned char* arena, gradc_multi_step* multi_step);

typedef struct {
    const char* name;
    const gradc_kernel* kernels;
    const gradc_step* table;
    int32_t kernel_count, step_count;
    const int32_t* results; /* indices into the module's tensors */
    int32_t result_count;
    double flops;          /* for the largest batch */
    const int32_t* fields; /* tensors of role FIELD that its kernels read: the contents of a row, except "#row" */
    int32_t field_count;
    gradc_steps steps[GRADC_ISA_COUNT]; /* NULL: single steps are as fast, or not built */
    int64_t step_rows;                  /* of each step of a run of steps */
} gradc_program;

/* A flag of a train block: the runtime writes its value (f64) into scalar tensor `scalar` before each call. */
typedef struct {
    const char *name, *full, *help;
    int32_t scalar; /* index into tensors */
    int32_t integer;
    double value;
} gradc_flag;

typedef struct {
    const char *split, *path; /* split "": the file holds all rows */
} gradc_file;
/* The numbers of a field may stand for strings, whose dictionary is made from the rows when training begins. */
enum gradc_strings {
    GRADC_NO_STRINGS,
    GRADC_CLASSES, /* a number is the code of a string */
    GRADC_WORDS    /* number i of a row counts the strings of code i */
};
typedef struct {
    const char* name;
    const char* reader;   /* of its files, by name: "csv"; without files rows are `values` or numbers 0..rows-1 */
    int32_t stored, rank; /* stored: dtype of the field's tensor */
    const int64_t* shape; /* of one row */
    int64_t low, high;    /* whole numbers allowed, if low <= high */
    const gradc_file* files;
    int32_t file_count;
    const int64_t* columns;          /* of a table, numbered from 0 */
    const char* const* column_names; /* of a table, named */
    int32_t column_count, column_name_count;
    const double* values;   /* rows * product(shape) numbers */
    int64_t rows;           /* without files */
    const char* alphabet;   /* of text: UTF-8 in order of code */
    int64_t window, stride; /* > 0: row i is column entries [i*stride, i*stride + window) */
    int32_t strings;        /* gradc_strings */
    int32_t other;          /* 1: code 0 stands for all strings that are not in the dictionary */
    /* Of a file whose rows have a part for each of several fields. In bytes: the row's and the offset of this part,
     * whose numbers are of dtype `in_file`. In a line of text: the number of parts, and that of this part from 0. */
    int64_t record, offset;
    int32_t in_file;
} gradc_field;
typedef struct {
    const char* name;
    double fraction;
} gradc_split;
typedef struct {
    const char* name;
    const gradc_field* fields;
    const gradc_split* splits;
    int32_t field_count, split_count;
    int32_t in_order, split_by_file;
} gradc_dataset;

typedef struct {
    const char* name;
    int32_t rank;
    const int64_t* shape;
} gradc_metric;

/* Passes over a split, then finish; programs by index, passes first..first+pass_count-1. finish < 0: nothing to do. */
typedef struct {
    int32_t first_pass, pass_count, finish;
} gradc_whole_split;

enum gradc_order { GRADC_SHUFFLED, GRADC_FILE_ORDER, GRADC_RANDOM };
typedef struct {
    const char* name;
    int32_t dataset; /* -1: rows are drawn; N is batch */
    int32_t batch_all, order;
    int64_t batch, epochs, steps, turns; /* steps > 0: so many, whatever the epochs */
    const gradc_flag* flags;
    int32_t flag_count;
    const gradc_metric* metrics;
    int32_t metric_count;
    int32_t step;               /* program; its first result is the loss (scalar) */
    gradc_whole_split training; /* pass_count 0: the step itself accumulates; finish reads what it summed */
    gradc_whole_split evaluation;
    int32_t predict; /* program or -1; result "predict" */
    /* Program or -1. It runs with one row for each character and reads the scalars "token" (i32, the character before),
     * "position" (i32, from 0) and "start" (f64, 1 at position 0, else 0). Its result "generate" has the logits of the
     * next character; what it carries stays in the arena. */
    int32_t generate;
    int64_t context; /* positions of `generate` before it must start again at 0; 0: any number */
    /* 1 + program or 0: after a NaN or infinite loss it runs once on the same rows. Its results, in order of
     * evaluation, are scalars: how many elements of a value are not finite; their names are
     * "model.grad:12:9: exp(z)". */
    int32_t diagnose;
} gradc_block;

typedef struct {
    int32_t abi_version;
    const char *name, *compiler, *options; /* "digits", "gradc 0.2.0", "--isa portable --set hidden=256" */
    const char* source_hash;               /* of the model file and what it uses, 16 hex digits */
    /* 16 hex digits; equal where the same flags and data give the same bits. "": not built */
    const char* bits[GRADC_ISA_COUNT];
    int64_t arena_bytes; /* exactly what the programs need, for the largest batch */
    /* Parts of it; activations are kept from the forward pass for the backward one. */
    int64_t parameter_bytes, optimizer_bytes, activation_bytes, scratch_bytes;
    int64_t least_bytes; /* a lower bound of arena_bytes for this order of kernels: the most that is live at one step */
    int64_t batch;
    const gradc_tensor* tensors;
    const gradc_program* programs;
    const gradc_dataset* datasets;
    const gradc_block* blocks;
    int32_t tensor_count, program_count, dataset_count, block_count;
    int32_t initial;              /* program that initializes all variables; reads scalar "seed" */
    gradc_whole_split statistics; /* of dataset 0's training split */
    int32_t columns;              /* program whose results are dataset 0's formula fields, or -1 */
    /* constants to copy into a fresh arena: pieces of bytes at offsets */
    const int64_t* constant_offsets;
    const int64_t* constant_sizes;
    const unsigned char* const* constant_bytes;
    int32_t constant_count;
    int32_t flush_denormals; /* 1: f32 steps run with FTZ and DAZ */
    /* 1 + program or 0: it computes again the variables whose initial values depend on those of others, from the values
     * that those have now. */
    int32_t derived;
} gradc_module;

/* Scalars that the runtime writes, if the module has tensors of role GRADC_SCALAR with these names:
 * "rows" i64, "seed" i64, "step" f64 (1 in the first step), "steps" f64, "epoch" f64 (from 1), and every flag's.
 * Field "#row" (i32 [N]): number of each row in its data set. */
extern const gradc_module gradc_module_table;

#ifdef __cplusplus
}
#endif
#endif
