import { ApiProblem } from '@huitouke/api';
import { operatorApi, unwrapOperator, type Operator } from '@huitouke/api/operator';
import { ref } from 'vue';

/** The operator who is signed in; null until known, and after signing out. */
export const operator = ref<Operator | null>(null);

/** Asks the server who we are; false when no operator is signed in. */
export async function restoreOperator(): Promise<boolean> {
  if (operator.value) return true;
  try {
    operator.value = await unwrapOperator(operatorApi.GET('/operator/api/session'));
    return true;
  } catch (error) {
    if (error instanceof ApiProblem && error.status === 401) return false;
    throw error;
  }
}

/** Signs in; false when the app's code is needed as well. */
export async function signIn(signInName: string, password: string, code: string | null): Promise<boolean> {
  try {
    operator.value = await unwrapOperator(operatorApi.POST('/operator/api/session', { body: { sign_in_name: signInName, password, code } }));
    return true;
  } catch (error) {
    if (error instanceof ApiProblem && error.type === 'operators.code_needed') return false;
    throw error;
  }
}

export async function signOut(): Promise<void> {
  await unwrapOperator(operatorApi.DELETE('/operator/api/session'));
  // A full load: nothing of this person may stay in memory.
  window.location.assign('/operator/sign-in');
}
