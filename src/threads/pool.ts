import { Piscina } from 'piscina';

type Options = NonNullable<ConstructorParameters<typeof Piscina>[0]>;

/**
 * A Piscina pool whose tasks are calls of the default export of an ES module.
 *
 * Piscina itself would `require` it, and Node aborts the whole process when a thread is ended in the `require` of an ES module
 * (`CreateRequiredModuleFacade` asserts that nothing ends it; Node 20.19 and later). So Piscina is given a CommonJS file that imports it.
 */
export const newThreadPool = <Task, Result>(module: URL, options: Omit<Options, 'filename' | 'workerData'>): Piscina<Task, Result> =>
  new Piscina<Task, Result>({ ...options, filename: new URL('./entry.cjs', import.meta.url).href, workerData: module.href });
