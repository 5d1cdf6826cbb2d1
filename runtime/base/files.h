// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Files that are written completely or not at all, with locks and temporary names that do not outlive the process;
// standard output; and the search for data files.
#pragma once
#include "runtime/base/mapped_file.h"
#include <string>
#include <string_view>
#include <vector>

namespace gradc::runtime {

/// A file name that this process uses temporarily. The file is removed by the destructor, or by remove_temporary_files
/// where the process ends without destructors.
class TemporaryName {
public:
    TemporaryName() = default;
    ~TemporaryName() { remove(); }
    TemporaryName(const TemporaryName&) = delete;
    TemporaryName& operator=(const TemporaryName&) = delete;
    void set(std::string path);
    void remove();
    /// Keeps the file.
    void forget();
    const std::string& path() const { return path_; }

private:
    friend void remove_temporary_files();
    std::string path_;
    TemporaryName* next_ = nullptr;
};
/// Removes the files of all living TemporaryNames. It may run in a signal handler.
void remove_temporary_files();

/// Writes a file that replaces `path` once all of it is on the disk. Until then, and after a failure, `path` is
/// unchanged. The file that a symbolic link names is replaced, not the link. The bytes are written to a temporary file
/// in the same folder, under a name that no other program uses.
class ReplacingFile {
public:
    /// `mode`, less the umask, is the mode of a new file. A replaced file keeps its mode; it becomes executable if
    /// `mode` is.
    explicit ReplacingFile(std::string path, unsigned mode = 0666) : path_(std::move(path)), mode_(mode) {}
    ~ReplacingFile();
    ReplacingFile(const ReplacingFile&) = delete;
    ReplacingFile& operator=(const ReplacingFile&) = delete;
    bool open(Error& error);
    bool write(const void* bytes, size_t size, Error& error);
    bool write(std::string_view text, Error& error) { return write(text.data(), text.size(), error); }
    /// Flushes, renames, and flushes the folder.
    bool commit(Error& error);

private:
    bool flush(Error& error);
    bool fail(Error& error) const;
    std::string path_, target_;
    unsigned mode_;
    TemporaryName temporary_;
    std::string buffer_;
    int descriptor_ = -1;
};

/// Replaces `path` by a file of this content.
bool write_file(const std::string& path, std::string_view content, Error& error, unsigned mode = 0666);

/// Writes to standard output. Returns false without an error if standard output is closed, else with one.
bool print(std::string_view text, Error& error);
/// Some file systems report only here that printed text is lost.
bool finish_printing(Error& error);
/// Opens closed standard descriptors, so that no file that is opened later gets their numbers. Reading and writing them
/// still fails.
void occupy_standard_descriptors();

/// An exclusive lock on `path`.lock, beside the file that `path` leads to. The destructor removes that file.
class FileLock {
public:
    FileLock() = default;
    ~FileLock();
    FileLock(const FileLock&) = delete;
    FileLock& operator=(const FileLock&) = delete;
    bool acquire(const std::string& path, Error& error);

private:
    TemporaryName name_;
    int descriptor_ = -1;
};

/// The content of a file of at most 4096 bytes, "" if it cannot be read.
std::string read_small_file(const std::string& path);
/// "No such file or directory".
std::string system_error();
bool is_folder(const std::string& path);
bool exists(const std::string& path);
/// The folder of this program's file; "" if it is not known.
std::string own_folder();
/// "" for the current folder.
std::string folder_of(const std::string& path);
std::string joined(const std::string& folder, std::string_view path);

/// The folders where a relative path is searched, in this order.
struct Places {
    std::vector<std::string> folders;
    bool confined = false; // no file outside of them is read, even behind links
    /// --data-dir, GRADC_DATA, the current folder, the trainer's own folder.
    static Places standard(const std::string& data_folder);
    /// Only these; "" is left out.
    static Places confined_to(const std::vector<std::string>& folders);
    /// The path of the first file found; an error names all folders.
    std::string find(std::string_view path, Error& error) const;
    /// The reason why `path`, with links resolved, may not be read, or "". The file need not exist.
    std::string refusal(const std::string& path) const;
};

} // namespace gradc::runtime
