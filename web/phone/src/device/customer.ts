import { asSandboxError } from '../app/useResource';
import * as api from '../sandbox/api';
import type { Customer } from '../sandbox/types';

const NAMES = ['林小姐', '陈先生', '小周', '王女士', '阿杰', '苏苏', '李先生', '晓雯'];

/** The customer of that id, null when the sandbox has none; other failures are raised. */
export async function knownCustomer(id: string | null): Promise<Customer | null> {
  if (!id) return null;
  try {
    return await api.getCustomer(id);
  } catch (failure) {
    if (asSandboxError(failure).status === 404) return null;
    throw failure;
  }
}

/** Somebody who opens the phone for the first time. */
export async function newcomer(): Promise<Customer> {
  return api.createCustomer(NAMES[Math.floor(Math.random() * NAMES.length)] ?? '微信用户');
}
