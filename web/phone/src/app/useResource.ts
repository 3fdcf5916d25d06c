import { ref, shallowRef, type Ref, type ShallowRef } from 'vue';
import { SandboxError } from '../sandbox/client';

export interface Resource<T> {
  data: ShallowRef<T | null>;
  error: ShallowRef<SandboxError | null>;
  loading: Ref<boolean>;
  /** Fetches again; what is shown stays until the answer is there. A later call wins over an earlier one. */
  reload: () => Promise<void>;
  /** Forgets what was shown, and whatever is still on its way. */
  clear: () => void;
}

export function asSandboxError(error: unknown): SandboxError {
  return error instanceof SandboxError ? error : new SandboxError(0, String(error));
}

/** Something the sandbox knows, with its three states. */
export function useResource<T>(load: () => Promise<T>): Resource<T> {
  const data = shallowRef<T | null>(null);
  const error = shallowRef<SandboxError | null>(null);
  const loading = ref(false);
  let turn = 0;

  async function reload(): Promise<void> {
    const mine = ++turn;
    loading.value = true;
    try {
      const found = await load();
      if (mine !== turn) return;
      data.value = found;
      error.value = null;
    } catch (failure) {
      if (mine === turn) error.value = asSandboxError(failure);
    } finally {
      if (mine === turn) loading.value = false;
    }
  }

  function clear(): void {
    turn++;
    data.value = null;
    error.value = null;
    loading.value = false;
  }

  return { data, error, loading, reload, clear };
}
