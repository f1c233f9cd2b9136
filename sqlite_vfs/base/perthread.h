/* MFS_PER_THREAD: before a static variable of which each thread has one of its own. */
#ifndef MFS_PERTHREAD_H
#define MFS_PERTHREAD_H

#ifdef MEMFS_NO_THREADS
#define MFS_PER_THREAD
#else
#define MFS_PER_THREAD _Thread_local
#endif

#endif
