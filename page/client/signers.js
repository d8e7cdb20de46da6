// Wallets of libraries, as what signs for an account here; the libraries themselves are the caller's.

/**
 * An account of viem, as `privateKeyToAccount` makes it, or a `WalletClient` with an account.
 * @param {import("./types.js").ViemAccount | import("./types.js").ViemClient} wallet
 * @returns {import("./types.js").WalletSigner}
 */
export function ofViem(wallet) {
  const account = "account" in wallet && wallet.account ? wallet.account : wallet;
  const address = "address" in account ? account.address : "";
  if (!address) throw new TypeError("ofViem takes an account of viem, or a WalletClient that was given its `account`");
  // A client whose account lies in a browser's wallet has to be told whose; an account itself passes it over.
  const of = account === wallet ? {} : { account };
  return { address, sign: (text) => /** @type {any} */ (wallet).signMessage({ ...of, message: text }) };
}

/**
 * A wallet of ethers, as `new Wallet(key)` makes it.
 * @param {{address: string, signMessage: (text: string) => Promise<string>}} wallet
 * @returns {import("./types.js").WalletSigner}
 */
export const ofEthers = (wallet) => ({ address: wallet.address, sign: (text) => wallet.signMessage(text) });
