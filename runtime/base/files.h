// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Files as the runtime writes them: whole or not at all, beside locks and temporary names that do not
// outlive the process; standard output; and the places where a relative path is sought.
#pragma once
#include "runtime/base/mapped_file.h"
#include <string>
#include <string_view>
#include <vector>

namespace gradc::runtime {

/// A name in a folder for as long as this process works on it. It is removed at the end of this, and
/// by remove_temporary_files where the process ends without destructors.
class TemporaryName {
public:
    TemporaryName() = default;
    ~TemporaryName() { remove(); }
    TemporaryName(const TemporaryName&) = delete;
    TemporaryName& operator=(const TemporaryName&) = delete;
    void set(std::string path);
    void remove();
    /// The name is no longer this one's to remove.
    void forget();
    const std::string& path() const { return path_; }

private:
    friend void remove_temporary_files();
    std::string path_;
    TemporaryName* next_ = nullptr;
};
/// Of all that are alive: for ends without destructors, in signal handlers too.
void remove_temporary_files();

/// A file that replaces `path` when all of it is on the disk; until then, and after a failure,
/// `path` is as it was. A symbolic link is followed: the file that it names is replaced. It is
/// written under a name of its own beside it, so that nothing else is opened by accident.
class ReplacingFile {
public:
    explicit ReplacingFile(std::string path) : path_(std::move(path)) {}
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
    TemporaryName temporary_;
    std::string buffer_;
    int descriptor_ = -1;
};

/// One file of this content, whole or not at all.
bool write_file(const std::string& path, std::string_view content, Error& error);

/// Writes to standard output. False without a fault where nobody reads it any more (a closed pipe),
/// else with one.
bool print(std::string_view text, Error& error);
/// Some file systems tell only now that what was printed is lost.
bool finish_printing(Error& error);
/// Takes the places of closed standard descriptors, so that no file that is opened later gets one.
/// Reading and writing them fails as before.
void occupy_standard_descriptors();

/// An exclusive lock on `path`.lock, beside the file that `path` leads to, for as long as this lives;
/// the file is removed with it.
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

/// Content of a short file, "" if it cannot be read.
std::string read_small_file(const std::string& path);
/// "No such file or directory".
std::string system_error();
bool is_folder(const std::string& path);
bool exists(const std::string& path);
/// Where this program's file lies; "" if that is not known.
std::string own_folder();
/// "" for the current folder.
std::string folder_of(const std::string& path);
std::string joined(const std::string& folder, std::string_view path);

/// Where a relative path is sought, in this order.
struct Places {
    std::vector<std::string> folders;
    bool confined = false; // nothing outside of them is read, wherever links lead
    /// --data-dir, GRADC_DATA, the current folder, the trainer's own.
    static Places standard(const std::string& data_folder);
    /// These alone; "" is none.
    static Places confined_to(const std::vector<std::string>& folders);
    /// The path under which it exists; otherwise a fault that names all places.
    std::string find(std::string_view path, Error& error) const;

private:
    bool contain(const std::string& found, Error& error) const;
};

} // namespace gradc::runtime
