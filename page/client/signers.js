// Wallets of libraries, as what signs for an account here; the libraries themselves are the caller's.

/**
 * An account of viem, as `privateKeyToAccount` makes it.
 * @param {{address: string, signMessage: (of: {message: string}) => Promise<string>}} account
 * @returns {import("./types.js").WalletSigner}
 */
export const ofViem = (account) => ({
  address: account.address,
  sign: (text) => account.signMessage({ message: text }),
});

/**
 * A wallet of ethers, as `new Wallet(key)` makes it.
 * @param {{address: string, signMessage: (text: string) => Promise<string>}} wallet
 * @returns {import("./types.js").WalletSigner}
 */
export const ofEthers = (wallet) => ({ address: wallet.address, sign: (text) => wallet.signMessage(text) });
